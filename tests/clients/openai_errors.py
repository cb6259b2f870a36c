"""The `openai` Python SDK: typed errors, its retries, broken streams and headers."""

import re
import time

import openai
from checks import Checks, error_of

check = Checks()
client = openai.OpenAI(max_retries=0)

HELLO = [{"role": "user", "content": "Hello"}]


def count_requests(**options):
    """Return a client, and the list that grows by one with each request it sends."""
    sent = []
    hooks = {"request": [sent.append]}
    http_client = openai.DefaultHttpxClient(event_hooks=hooks)
    return openai.OpenAI(http_client=http_client, **options), sent


def refused(kind, ask=client, **fields):
    """Return the error with which a chat is refused."""
    asked = {"model": "open", "messages": HELLO, **fields}
    return error_of(kind, ask.chat.completions.create, **asked)


@check
def an_unknown_model_is_not_found_and_the_nearest_is_named():
    error = refused(openai.NotFoundError, model="opne")

    assert error.status_code == 404
    assert (error.code, error.param) == ("model_not_found", "model")
    assert error.type == "invalid_request_error"
    assert "open" in error.message.replace("opne", "")


@check
def an_unknown_model_is_not_retrieved():
    error = error_of(openai.NotFoundError, client.models.retrieve, model="team/fats")

    assert error.code == "model_not_found"
    assert "team/fast" in error.message


@check
def a_bad_api_token_is_an_authentication_error():
    stranger = openai.OpenAI(api_key="sk-nobody", max_retries=2)

    error = refused(openai.AuthenticationError, stranger)
    assert error.status_code == 401
    assert error.code == "invalid_api_key"
    assert error.response.headers["www-authenticate"].startswith("Bearer")


@check
def wrong_fields_are_named():
    wrong = {
        "n": {"n": 10**9},
        "stop": {"stop": ["x"] * 1_000},
        "max_tokens": {"max_tokens": -1},
        "messages.0.role": {"messages": [{"role": "wizard", "content": "x"}]},
        "messages.0.tool_call_id": {"messages": [{"role": "tool", "content": "x"}]},
        "messages": {"messages": []},
        "tools.0.function.parameters": {
            "tools": [
                {
                    "type": "function",
                    "function": {"name": "f", "parameters": {"type": "wrong"}},
                }
            ]
        },
    }
    for param, fields in wrong.items():
        error = refused(openai.BadRequestError, **fields)

        assert error.type == "invalid_request_error", param
        assert error.param.startswith(param), (param, error.param)


@check
def a_body_of_endless_values_is_refused_before_it_is_read():
    error = refused(openai.BadRequestError, stop=["x"] * 100_000)

    assert error.param is None
    assert "too many values" in error.message


@check
def what_a_caller_may_not_choose_is_refused():
    for name in ("api_base", "api_key", "extra_headers", "chat_template", "base_url"):
        body = {name: "http://169.254.169.254"}
        error = refused(openai.BadRequestError, extra_body=body)

        assert error.param == name
        assert "not for a caller" in error.message


@check
def an_input_that_is_too_long_has_its_code():
    for model in ("long@open", "long@claude"):
        error = refused(openai.BadRequestError, model=model)

        assert error.code == "context_length_exceeded"


@check
def nothing_of_an_upstream_stands_in_an_error():
    for model in ("locked@open", "long@claude", "loaded-1@open"):
        error = refused(openai.APIStatusError, model=model)

        assert not re.search("Who are you|9 tokens|Come back", str(error.body))


@check
def a_limit_says_when_to_come_back():
    error = refused(openai.RateLimitError, model="limited-1@open")

    assert error.status_code == 429
    assert error.code == "rate_limit_exceeded"
    assert error.response.headers["x-should-retry"] == "true"
    assert error.response.headers["retry-after"] == "1"
    assert error.response.headers["retry-after-ms"] == "1000"


@check
def the_sdk_comes_back_when_it_is_told_to():
    patient, sent = count_requests(max_retries=2)

    began = time.monotonic()
    raw = patient.chat.completions.with_raw_response.create(
        model="limited-2@open", messages=HELLO
    )

    assert raw.parse().choices[0].message.content == "You said: Hello"
    assert raw.retries_taken == 1
    assert len(sent) == 2
    assert time.monotonic() - began >= 1.0


@check
def the_sdk_does_not_come_back_where_that_is_of_no_use():
    # A 502, after which it would try again by itself.
    patient, sent = count_requests(max_retries=2)

    error = refused(openai.InternalServerError, patient, model="locked@open")
    assert error.status_code == 502
    assert error.code == "upstream_credential"
    assert error.response.headers["x-should-retry"] == "false"
    assert len(sent) == 1


@check
def an_upstream_that_is_out_of_order_is_a_503_that_the_sdk_does_not_multiply():
    patient, sent = count_requests(max_retries=2)

    error = refused(openai.InternalServerError, patient, model="loaded-2@open")
    assert error.status_code == 503
    assert error.code == "overloaded"
    assert error.response.headers["x-should-retry"] == "false"
    assert int(error.response.headers["retry-after"]) >= 1
    assert len(sent) == 1


@check
def a_stream_that_never_began_is_an_error_with_a_status():
    for model in ("locked@open", "locked@claude"):
        error = refused(openai.InternalServerError, model=model, stream=True)

        assert error.status_code == 502


@check
def a_stream_that_breaks_raises_and_never_ends_well():
    for model in ("cut@open", "cut@claude"):
        stream = client.chat.completions.create(
            model=model, messages=HELLO, stream=True
        )

        error = error_of(openai.APIError, lambda stream=stream: list(stream))
        assert not isinstance(error, openai.APIStatusError)
        assert error.type == "server_error"


@check
def chunks_come_before_the_break():
    stream = client.chat.completions.create(
        model="cut@open", messages=HELLO, stream=True
    )
    choices = []

    error_of(openai.APIError, lambda: choices.extend(c.choices[0] for c in stream))
    text = "".join(choice.delta.content or "" for choice in choices)
    assert text.startswith("This answer")
    assert {choice.finish_reason for choice in choices} == {None}


@check
def a_response_that_breaks_fails():
    stream = client.responses.create(model="cut@open", input="Hello", stream=True)

    events = list(stream)
    assert events[-1].type == "response.failed"
    assert events[-1].response.status == "failed"
    assert events[-1].response.error.code == "server_error"
    assert "response.completed" not in {each.type for each in events}


@check
def an_unknown_address_is_told_in_the_same_form():
    error = error_of(
        openai.NotFoundError, client.post, path="/nothing/here", cast_to=object
    )

    assert error.code == "unknown_url"


@check
def a_reply_has_the_headers_that_clients_read():
    raw = client.chat.completions.with_raw_response.create(
        model="open",
        messages=HELLO,
        extra_headers={"X-Request-ID": "caller-7f31", "X-Client-Request-Id": "mine"},
    )

    assert raw.request_id == "caller-7f31"
    assert raw.parse()._request_id == "caller-7f31"
    assert int(raw.headers["openai-processing-ms"]) >= 0
    assert raw.headers["openai-version"] == "2020-10-01"
    assert raw.headers["content-type"] == "application/json"


@check
def a_stream_has_the_headers_that_proxies_read():
    raw = client.chat.completions.with_raw_response.create(
        model="open", messages=HELLO, stream=True
    )

    assert raw.headers["content-type"].startswith("text/event-stream")
    assert raw.headers["x-accel-buffering"] == "no"
    assert raw.headers["cache-control"] == "no-cache"
    assert raw.request_id
    assert len(list(raw.parse())) > 3


@check
def what_is_not_passed_on_is_named_in_a_header():
    raw = client.chat.completions.with_raw_response.create(
        model="claude", messages=HELLO, logprobs=True, extra_body={"my_field": 1}
    )

    dropped = raw.headers["x-flaskllm-dropped"].split(", ")
    assert {"logprobs", "my_field"} <= set(dropped)


@check
def the_headers_of_the_organisation_are_taken_and_ignored():
    member = openai.OpenAI(organization="org-1", project="proj-1")

    told = member.chat.completions.create(model="open", messages=HELLO)
    assert told.choices[0].message.content == "You said: Hello"


if __name__ == "__main__":
    check.run()
