"""The `anthropic` Python SDK: who may ask, typed errors, retries and headers."""

import os

import anthropic
from checks import Checks, error_of

check = Checks()
client = anthropic.Anthropic(max_retries=0)

ASK = {"max_tokens": 50, "messages": [{"role": "user", "content": "Hello"}]}


def count_requests(**options):
    """Return a client, and the list that grows by one with each request it sends."""
    sent = []
    hooks = {"request": [sent.append]}
    http_client = anthropic.DefaultHttpxClient(event_hooks=hooks)
    return anthropic.Anthropic(http_client=http_client, **options), sent


def refused(kind, ask=client, **fields):
    """Return the error with which a request is refused."""
    return error_of(kind, ask.messages.create, **{"model": "open", **ASK, **fields})


@check
def the_api_token_may_come_in_either_header():
    token = os.environ["ANTHROPIC_API_KEY"]
    by_bearer = anthropic.Anthropic(api_key=None, auth_token=token)

    for ask in (client, by_bearer):
        told = ask.messages.create(model="open", **ASK)
        assert told.stop_reason == "end_turn"


@check
def a_bad_api_token_is_an_authentication_error():
    stranger = anthropic.Anthropic(api_key="sk-ant-nobody", max_retries=2)

    error = refused(anthropic.AuthenticationError, stranger)
    assert error.status_code == 401
    assert error.body["error"]["type"] == "authentication_error"


@check
def an_unknown_model_is_not_found_and_the_nearest_is_named():
    error = refused(anthropic.NotFoundError, model="cluade")

    assert error.body["error"]["type"] == "not_found_error"
    assert "claude" in error.body["error"]["message"]
    assert error.body["request_id"] == error.response.headers["request-id"]


@check
def wrong_fields_are_named():
    wrong = {
        "max_tokens": {"max_tokens": -1},
        "messages.0.role": {"messages": [{"role": "wizard", "content": "x"}]},
        "top_k": {"extra_body": {"top_k": -1}},
        "input_schema": {"tools": [{"name": "f", "input_schema": {"type": "wrong"}}]},
        "api_base": {"extra_body": {"api_base": "http://169.254.169.254"}},
    }
    for name, fields in wrong.items():
        error = refused(anthropic.BadRequestError, **fields)

        assert error.body["error"]["type"] == "invalid_request_error", name
        assert name in error.body["error"]["message"], error.body


@check
def an_input_that_is_too_long_is_told_in_the_words_that_clients_look_for():
    for model in ("long-3@claude", "long-3@open"):
        error = refused(anthropic.BadRequestError, model=model)

        assert error.body["error"]["message"].startswith("prompt is too long")


@check
def the_sdk_comes_back_when_it_is_told_to():
    for model in ("limited-3@claude", "limited-3@open"):
        error = refused(anthropic.RateLimitError, model=model)
        assert error.body["error"]["type"] == "rate_limit_error"
        assert error.response.headers["retry-after"] == "1"

    patient, sent = count_requests(max_retries=2)
    told = patient.messages.create(model="limited-4@claude", **ASK)
    assert told.stop_reason == "end_turn"
    assert len(sent) == 2


@check
def the_sdk_does_not_come_back_where_that_is_of_no_use():
    patient, sent = count_requests(max_retries=2)

    error = refused(anthropic.InternalServerError, patient, model="locked@claude")
    assert error.response.headers["x-should-retry"] == "false"
    assert len(sent) == 1


@check
def an_upstream_that_is_out_of_order_is_overloaded():
    patient, sent = count_requests(max_retries=2)

    error = refused(anthropic.APIStatusError, patient, model="loaded-3@open")
    assert error.status_code == 529
    assert error.body["error"]["type"] == "overloaded_error"
    assert error.response.headers["x-should-retry"] == "false"
    assert len(sent) == 1


@check
def a_stream_that_breaks_raises_and_never_ends_well():
    for model in ("cut-3@claude", "cut-3@open"):
        with client.messages.stream(model=model, **ASK) as stream:
            pieces = []
            error = error_of(
                anthropic.APIStatusError,
                lambda pieces=pieces, stream=stream: pieces.extend(stream.text_stream),
            )

        assert error.body["error"]["type"] == "api_error"
        assert "".join(pieces).startswith("This answer")


@check
def a_reply_has_the_headers_that_clients_read():
    raw = client.messages.with_raw_response.create(model="claude", **ASK)

    assert raw.parse()._request_id == raw.headers["request-id"]
    assert raw.headers["x-request-id"] == raw.headers["request-id"]


@check
def what_is_not_passed_on_is_named_in_a_header():
    raw = client.messages.with_raw_response.create(
        model="open", service_tier="auto", **ASK
    )

    assert raw.headers["x-flaskllm-dropped"] == "service_tier"


@check
def a_beta_is_asked_for():
    told = client.beta.messages.create(
        model="claude", betas=["context-1m-2025-08-07"], **ASK
    )

    assert told.content[0].text == "You said: Hello"


if __name__ == "__main__":
    check.run()
