"""`/v1/responses`, whole: made, kept, gone on with, read and deleted."""

import pytest
from dialect_scene import Caller, chat_message, message, settings
from fakes import chat, status

TOOL = {"type": "function", "name": "add", "parameters": {"type": "object"}}


@pytest.fixture
def caller(make_gateway, upstream):
    upstream.always(chat("Hi there."))
    return Caller(make_gateway(settings(upstream)))


@pytest.fixture
def other(caller):
    return Caller(caller.gateway)


def roles_of(request):
    return [message["role"] for message in request.json["messages"]]


def test_an_answer_becomes_a_response(caller, upstream):
    response = caller.respond(instructions="Be kind.", service_tier="auto")

    assert response.status_code == 200
    assert response.json["status"] == "completed"
    assert response.json["store"] is True
    (item,) = response.json["output"]
    assert item["content"][0]["text"] == "Hi there."
    assert response.json["usage"]["total_tokens"] == 17
    assert response.headers["X-Flaskllm-Dropped"] == "service_tier"
    assert roles_of(upstream.requests[0]) == ["system", "user"]


def test_anthropic_answers_too(caller, upstream):
    upstream.script(message())

    response = caller.respond(model="claude")

    assert response.json["output"][0]["content"][0]["text"] == "Hi there."
    assert response.json["usage"]["input_tokens"] == 11


def test_an_answer_that_was_cut_is_incomplete(caller, upstream):
    upstream.script(chat("Hi th", finish_reason="length"))

    response = caller.respond(max_output_tokens=2)

    assert response.json["status"] == "incomplete"
    assert response.json["incomplete_details"] == {"reason": "max_output_tokens"}


def test_the_next_turn_knows_the_ones_before(caller, upstream):
    first = caller.respond(input="One?").json["id"]
    second = caller.respond(
        input="Two?", previous_response_id=first, instructions="Short."
    ).json["id"]

    third = caller.respond(input="Three?", previous_response_id=second)

    assert third.json["previous_response_id"] == second
    sent = upstream.requests[2].json["messages"]
    assert [turn["role"] for turn in sent] == ["user", "assistant"] * 2 + ["user"]
    assert "Short." not in repr(sent)


def test_a_call_and_its_output_go_on_by_id(caller, upstream):
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "add", "arguments": "{}"},
    }
    upstream.script(chat_message("tool_calls", tool_calls=[call]), chat("2"))
    first = caller.respond(tools=[TOOL]).json
    (item,) = first["output"]
    assert (item["type"], item["call_id"]) == ("function_call", "call_1")

    output = {"type": "function_call_output", "call_id": "call_1", "output": "2"}
    caller.respond(input=[output], previous_response_id=first["id"], tools=[TOOL])

    assert roles_of(upstream.requests[1]) == ["user", "assistant", "tool"]


def test_a_response_is_read_again_as_it_was_told(caller):
    made = caller.respond().json

    read = caller.open("GET", f"/v1/responses/{made['id']}")

    assert (read.status_code, read.json) == (200, made)


def test_a_response_that_was_not_stored_is_not_there(caller):
    made = caller.respond(store=False).json

    assert made["store"] is False
    assert caller.open("GET", f"/v1/responses/{made['id']}").status_code == 404


def test_a_deleted_response_is_gone(caller):
    path = f"/v1/responses/{caller.respond().json['id']}"

    deleted = caller.open("DELETE", path)

    assert deleted.json["deleted"] is True
    assert caller.open("GET", path).status_code == 404
    assert caller.open("DELETE", path).status_code == 404


@pytest.mark.parametrize(
    ("query", "texts", "has_more"),
    [
        ("", ["c", "b", "a"], False),
        ("?order=asc", ["a", "b", "c"], False),
        ("?order=asc&limit=2", ["a", "b"], True),
    ],
)
def test_the_input_of_a_response_is_listed(caller, query, texts, has_more):
    items = [{"role": "user", "content": text} for text in "abc"]
    path = f"/v1/responses/{caller.respond(input=items).json['id']}/input_items"

    page = caller.open("GET", path + query).json

    assert [item["content"][0]["text"] for item in page["data"]] == texts
    assert page["has_more"] is has_more
    assert page["first_id"] == page["data"][0]["id"]


def test_pages_of_the_input_follow_one_another(caller):
    items = [{"role": "user", "content": text} for text in "abc"]
    path = f"/v1/responses/{caller.respond(input=items).json['id']}/input_items"
    first = caller.open("GET", f"{path}?order=asc&limit=2").json

    rest = caller.open("GET", f"{path}?order=asc&after={first['last_id']}").json

    assert [item["content"][0]["text"] for item in rest["data"]] == ["c"]


@pytest.mark.parametrize("query", ["?limit=0", "?limit=101", "?order=up"])
def test_a_page_that_cannot_be_is_refused(caller, query):
    path = f"/v1/responses/{caller.respond().json['id']}/input_items"

    assert caller.open("GET", path + query).status_code == 400


def test_a_response_cannot_be_streamed_again(caller):
    path = f"/v1/responses/{caller.respond().json['id']}?stream=true"

    assert caller.open("GET", path).status_code == 400


@pytest.mark.parametrize(
    ("method", "suffix"), [("GET", ""), ("DELETE", ""), ("GET", "/input_items")]
)
def test_anothers_response_reads_like_one_that_never_was(caller, other, method, suffix):
    made = caller.respond().json["id"]
    never = made[:-1] + ("a" if made[-1] != "a" else "b")

    answers = [
        other.open(method, f"/v1/responses/{response_id}{suffix}")
        for response_id in (made, never)
    ]

    told = [answer.text.replace(never, made) for answer in answers]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert told[0] == told[1]
    assert caller.open("GET", f"/v1/responses/{made}").status_code == 200


def test_anothers_response_cannot_be_gone_on_with(caller, other, upstream):
    made = caller.respond().json["id"]

    refused = [
        other.respond(previous_response_id=each) for each in (made, "resp_never")
    ]

    told = [each.text.replace("resp_never", made) for each in refused]
    assert [each.status_code for each in refused] == [404, 404]
    assert refused[0].json["error"]["param"] == "previous_response_id"
    assert told[0] == told[1]
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"background": True}, "background"),
        ({"tools": [{"type": "web_search"}]}, "tools.0.type"),
        ({"max_output_tokens": -1}, "max_output_tokens"),
        ({"input": []}, "input"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input.0.type"),
        ({"api_base": "https://evil.test"}, "api_base"),
    ],
)
def test_a_bad_request_names_the_field_and_nobody_is_asked(
    caller, upstream, fields, param
):
    response = caller.respond(**fields)

    assert response.status_code == 400
    assert response.json["error"]["param"] == param
    assert response.json["error"]["type"] == "invalid_request_error"
    assert upstream.requests == []


def test_an_unknown_model_is_told_as_openai_does(caller):
    response = caller.respond(model="claud")

    assert response.status_code == 404
    assert response.json["error"]["code"] == "model_not_found"


def test_an_upstream_that_fails_is_an_error_and_nothing_is_kept(caller, upstream):
    upstream.script(*[status(401)] * 3)

    response = caller.respond()

    assert response.status_code == 502
    assert response.json["error"]["code"] == "upstream_credential"


def test_an_answer_outlives_a_database_that_does_not_take_it(caller):
    with caller.gateway.services.database.transaction() as connection:
        connection.exec_driver_sql("DROP TABLE responses")

    response = caller.respond()

    assert response.status_code == 200
    assert response.json["store"] is False
    assert response.json["output"][0]["content"][0]["text"] == "Hi there."
    assert len(caller.gateway.events("response_not_kept")) == 1
