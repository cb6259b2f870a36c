"""`/v1/messages` against upstreams of its own and of another dialect."""

import json

import pytest
from dialect_scene import KEY, MESSAGE, Caller, chat_message, message, settings
from fakes import chat, json_reply, status

from flaskllm.core.auth import Scope

TOOL = {"name": "add", "input_schema": {"type": "object", "properties": {}}}
DOCUMENT = {
    "type": "document",
    "source": {
        "type": "base64",
        "media_type": "application/pdf",
        "data": "JVBERi0xLjQ=",
    },
}


@pytest.fixture
def caller(make_gateway, upstream):
    return Caller(make_gateway(settings(upstream)))


def error_of(response):
    assert response.json["type"] == "error"
    assert response.json["request_id"] == response.headers["request-id"]
    return response.json["error"]


def test_a_message_of_the_same_dialect_passes_as_it_is(caller, upstream):
    upstream.always(message())
    fields = {"top_k": 5, "service_tier": "auto", "future_field": {"a": 1}}

    response = caller.ask(model="claude", **fields)

    assert response.status_code == 200
    assert json.loads(response.data) == MESSAGE
    (sent,) = upstream.requests
    assert sent.path == "/v1/messages"
    assert sent.json == {
        "model": "claude-haiku-4-5",
        "max_tokens": 50,
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": False,
        **fields,
    }
    assert "X-Flaskllm-Dropped" not in response.headers


def test_only_the_beta_header_of_the_caller_goes_along(caller, upstream):
    upstream.always(message())

    caller.ask(
        {"anthropic_beta": "fine-1, other-2", "anthropic_version": "2023-06-01"},
        model="claude",
    )

    (sent,) = upstream.requests
    assert sent.headers["anthropic-beta"] == "fine-1, other-2"
    assert sent.headers["x-api-key"] == KEY
    assert caller.token not in repr(sent.headers)


@pytest.mark.parametrize("beta", ["a b", "x" * 1001, "a;b"])
def test_a_beta_header_that_is_no_list_of_names_is_refused(caller, upstream, beta):
    response = caller.ask({"anthropic_beta": beta}, model="claude")

    assert response.status_code == 400
    assert upstream.requests == []


def test_a_message_of_another_dialect_is_translated(caller, upstream):
    upstream.always(chat("Hi there."))

    response = caller.ask(system="Be kind.", service_tier="auto", temperature=0.5)

    assert response.json["content"] == [{"type": "text", "text": "Hi there."}]
    assert response.json["stop_reason"] == "end_turn"
    assert response.json["usage"]["input_tokens"] == 12
    assert response.headers["X-Flaskllm-Dropped"] == "service_tier"
    sent = upstream.requests[0].json
    assert sent["temperature"] == 0.5
    assert [each["role"] for each in sent["messages"]] == ["system", "user"]


def test_tools_go_there_and_back(caller, upstream):
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "add", "arguments": '{"a": 1}'},
    }
    upstream.script(chat_message("tool_calls", tool_calls=[call]), chat("It is 2."))
    question = {"role": "user", "content": "Add."}

    first = caller.ask(messages=[question], tools=[TOOL])
    assert first.json["stop_reason"] == "tool_use"
    (block,) = first.json["content"]
    assert (block["name"], block["input"]) == ("add", {"a": 1})
    result = {"type": "tool_result", "tool_use_id": block["id"], "content": "2"}
    turns = [
        question,
        {"role": "assistant", "content": first.json["content"]},
        {"role": "user", "content": [result]},
    ]
    second = caller.ask(messages=turns, tools=[TOOL])

    assert second.json["content"][0]["text"] == "It is 2."
    _, called, answered = upstream.requests[1].json["messages"]
    assert called["tool_calls"][0]["id"] == answered["tool_call_id"] == "call_1"
    assert answered["content"] == "2"


def test_a_document_goes_where_it_is_understood(caller, upstream):
    upstream.always(message())
    turn = {"role": "user", "content": [DOCUMENT, {"type": "text", "text": "Sum up."}]}

    response = caller.ask(model="both", messages=[turn])

    assert response.status_code == 200
    (sent,) = upstream.requests
    assert sent.path == "/v1/messages"
    assert sent.json["messages"] == [turn]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"messages": [{"role": "user", "content": [DOCUMENT]}]}, "messages.0.content"),
        ({"tools": [{"type": "web_search_20250305", "name": "web"}]}, "tools.0"),
        ({"mcp_servers": [{"name": "x"}]}, "mcp_servers"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_would_be_lost_is_refused_before_anybody_is_asked(
    caller, upstream, fields, path, stream
):
    response = caller.ask(**fields, stream=stream)

    assert response.status_code == 400
    assert error_of(response)["type"] == "invalid_request_error"
    assert path in error_of(response)["message"]
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/v1/messages", 405),
        ("POST", "/v1/messages/nowhere", 404),
        ("POST", "/v1/messages", 400),
    ],
)
def test_every_reply_names_its_request_where_clients_look(caller, method, path, code):
    response = caller.open(method, path, {})

    assert response.status_code == code
    assert error_of(response)["message"]


def test_the_api_token_may_stand_in_x_api_key(caller, upstream):
    upstream.always(message())

    response = caller.ask(
        {"Authorization": "", "x_api_key": caller.token}, model="claude"
    )

    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
def test_two_api_tokens_that_differ_are_none(caller, upstream, path):
    other = caller.gateway.make_token(Scope.CHAT)

    response = caller.post(path, {}, x_api_key=other)

    assert response.status_code == 401
    assert error_of(response)["type"] == "authentication_error"


def test_the_same_api_token_twice_is_one(caller, upstream):
    upstream.always(message())

    assert caller.ask({"x_api_key": caller.token}, model="claude").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/chat/completions"),
        ("POST", "/v1/responses"),
        ("POST", "/api/v1/webhook"),
        ("GET", "/v1/models"),
    ],
)
def test_x_api_key_opens_no_other_route(caller, method, path):
    headers = {"Authorization": "", "x_api_key": caller.token}

    assert caller.open(method, path, {}, **headers).status_code == 401


@pytest.mark.parametrize("name", ["api_key", "x-api-key", "token"])
def test_an_api_token_in_the_query_opens_nothing(caller, name):
    path = f"/v1/messages?{name}={caller.token}"

    assert caller.post(path, {}, Authorization="").status_code == 401


def test_another_scope_may_not_chat(caller):
    token = caller.gateway.make_token(Scope.WEBHOOK)

    response = caller.ask({"Authorization": "", "x_api_key": token})

    assert response.status_code == 403
    assert error_of(response)["type"] == "permission_error"


def test_an_unknown_model_is_not_found_and_the_nearest_is_named(caller, upstream):
    response = caller.ask(model="claud")

    assert response.status_code == 404
    assert error_of(response)["type"] == "not_found_error"
    assert "claude" in error_of(response)["message"]
    assert upstream.requests == []


def test_a_prompt_that_is_too_long_is_told_as_anthropic_does(caller, upstream):
    turn = {"role": "user", "content": "word " * 1000}

    response = caller.ask(model="tiny", messages=[turn])

    assert response.status_code == 400
    assert error_of(response)["message"].startswith("prompt is too long")
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("step", "code", "kind"),
    [
        (status(529), 529, "overloaded_error"),
        (status(503), 529, "overloaded_error"),
        (status(429, {"retry-after": "7"}), 429, "rate_limit_error"),
        (status(401), 502, "api_error"),
        (json_reply({"type": "message"}), 502, "api_error"),
    ],
    ids=["overloaded", "down", "limited", "credential", "nonsense"],
)
def test_a_failing_upstream_has_its_error(make_gateway, upstream, step, code, kind):
    quick = "\ntimeouts: {deadline_seconds: 3}\n"
    caller = Caller(make_gateway(settings(upstream) + quick))
    upstream.always(step)

    response = caller.ask(model="claude")

    assert response.status_code == code
    assert error_of(response)["type"] == kind
    assert "x-should-retry" in response.headers
    assert KEY not in response.text


@pytest.mark.parametrize(
    "fields",
    [
        {"max_tokens": -5},
        {"max_tokens": None},
        {"messages": []},
        {"messages": [{"role": "tool", "content": "x"}]},
        {"stop_sequences": ["x"] * 10**5},
        {"temperature": 1.1},
        {"tools": [{"name": "a", "input_schema": {"type": 5}}]},
        {"base_url": "https://evil.test"},
        {"thinking": {"type": "enabled", "budget_tokens": 2048, "extra_body": {}}},
    ],
)
def test_a_bad_request_is_told_so_and_nobody_is_asked(caller, upstream, fields):
    response = caller.ask(**fields)

    assert response.status_code == 400
    assert error_of(response)["type"] == "invalid_request_error"
    assert upstream.requests == []


def test_names_that_are_forbidden_elsewhere_may_stand_in_what_is_said(caller, upstream):
    upstream.always(chat("ok"))
    schema = {"type": "object", "properties": {"api_key": {"type": "string"}}}
    call = {"type": "tool_use", "id": "t", "name": "a", "input": {"api_key": "x"}}

    response = caller.ask(
        messages=[
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": [call]},
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "t"}],
            },
        ],
        tools=[{"name": "a", "input_schema": schema}],
    )

    assert response.status_code == 200


def count(caller, model):
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    return caller.post("/v1/messages/count_tokens", body)


def test_tokens_are_estimated_for_an_upstream_of_another_dialect(caller, upstream):
    response = count(caller, "open")

    assert response.status_code == 200
    assert 1 <= response.json["input_tokens"] < 50
    assert response.headers["X-Flaskllm-Estimated"] == "true"
    assert upstream.requests == []


def test_tokens_are_counted_by_an_upstream_that_does_it_for_nothing(caller, upstream):
    upstream.script(json_reply({"input_tokens": 4711}))

    response = count(caller, "claude")

    assert response.json == {"input_tokens": 4711}
    assert "X-Flaskllm-Estimated" not in response.headers
    (sent,) = upstream.requests
    assert sent.path == "/v1/messages/count_tokens"
    assert sent.json["model"] == "claude-haiku-4-5"


@pytest.mark.parametrize("reply", [status(529), json_reply({"input_tokens": -1})])
def test_tokens_are_estimated_where_the_upstream_does_not_count(
    caller, upstream, reply
):
    upstream.script(reply)

    response = count(caller, "claude")

    assert 1 <= response.json["input_tokens"] < 50
    assert response.headers["X-Flaskllm-Estimated"] == "true"
    (told,) = caller.gateway.events("tokens_not_counted")
    assert told["deployment"] == "haiku"


def test_tokens_for_a_model_that_is_not_there_are_not_counted(caller, upstream):
    response = count(caller, "claud")

    assert response.status_code == 404
    assert error_of(response)["type"] == "not_found_error"


@pytest.mark.parametrize(
    ("method", "path", "code", "kind"),
    [
        ("GET", "/v1/messages", 405, "invalid_request_error"),
        ("POST", "/v1/messages/batches", 404, "not_found_error"),
    ],
)
def test_addresses_that_are_not_there_are_told_in_the_dialect(
    caller, method, path, code, kind
):
    response = caller.open(method, path)

    assert response.status_code == code
    assert response.json["error"]["type"] == kind
