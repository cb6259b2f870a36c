"""After a failure the router falls back, asks again, or ends with the deadline."""

import socket
from dataclasses import replace

import pytest
from router_scene import (
    DIGEST,
    FakeLocal,
    Half,
    answer,
    asked,
    codes,
    scene,
    status,
)

from flaskllm.core.errors import (
    CallerGone,
    LLMContextTooLong,
    LLMCredentialRejected,
    LLMProtocolError,
    LLMRateLimited,
    LLMRequestRejected,
    LLMServerError,
    LLMTimeout,
    LLMUnavailable,
    NoModelConfigured,
)
from flaskllm.llm.catalog import Catalog, Route
from flaskllm.llm.patience import Policy
from flaskllm.llm.router import Router
from flaskllm.llm.types import Deployment
from flaskllm.net.transport import HttpReply

PASSING = {
    "refused": LLMUnavailable(),
    "503": status(503),
    "529": status(529),
    "html": HttpReply(200, {}, b"<html>"),
    "empty": HttpReply(200, {}, b""),
    "no choices": HttpReply(200, {}, b'{"choices": []}'),
    "broken off": answer(finish_reason="error"),
}
FAULTS = {"500": status(500), "502": status(502), "reset": LLMServerError()}
SILENT = {"slow": LLMTimeout(), "408": status(408), "504": status(504)}
LASTING = {
    "405": (status(405), LLMRequestRejected),
    "401": (status(401), LLMCredentialRejected),
    "403": (status(403), LLMCredentialRejected),
    "404": (status(404), LLMRequestRejected),
    "413": (status(413), LLMContextTooLong),
}


@pytest.mark.parametrize(
    "failing", [*PASSING.values(), *SILENT.values(), status(429)], ids=str
)
def test_a_passing_failure_falls_back_at_once(failing):
    shown = scene(a=[failing], b=[answer()])

    result = shown.complete()

    assert (result.alias, result.deployment.name, result.attempts) == ("b", "b", 2)
    assert shown.waited == []


@pytest.mark.parametrize("failing", PASSING.values(), ids=PASSING)
def test_a_passing_failure_is_retried_where_nothing_else_is(failing):
    shown = scene(a=[failing, answer()])

    result = shown.complete()

    assert result.attempts == 2
    assert [attempt.number for attempt in shown.begun] == [1, 2]
    assert shown.waited == [0.25]


@pytest.mark.parametrize("failing", FAULTS.values(), ids=FAULTS)
def test_a_fault_at_one_request_is_tried_once_more_at_the_same_place(failing):
    shown = scene(a=[failing, answer()], b=[])

    assert shown.complete().deployment.name == "a"
    assert shown.waited == [0.25]


@pytest.mark.parametrize("failing", FAULTS.values(), ids=FAULTS)
def test_after_the_second_fault_another_is_asked(failing):
    shown = scene(a=[failing] * 2, b=[answer()])

    assert shown.complete().deployment.name == "b"
    assert asked(shown) == ["a", "a", "b"]


@pytest.mark.parametrize("failing", SILENT.values(), ids=SILENT)
def test_a_silent_deployment_is_never_asked_again(failing):
    shown = scene(a=[failing], b=[status(401)])

    with pytest.raises(LLMTimeout):
        shown.complete()

    assert asked(shown) == ["a", "b"]
    assert shown.waited == []


@pytest.mark.parametrize(("failing", "error"), LASTING.values(), ids=LASTING)
def test_a_lasting_failure_is_never_sent_to_the_same_deployment_again(failing, error):
    shown = scene(a=[failing])

    with pytest.raises(error):
        shown.complete()

    assert asked(shown) == ["a"]


@pytest.mark.parametrize(("failing", "error"), LASTING.values(), ids=LASTING)
def test_a_lasting_failure_falls_back(failing, error):
    shown = scene(a=[failing], b=[answer()])

    assert shown.complete().deployment.name == "b"
    assert codes(shown) == [error.code, "OK"]


def test_three_attempts_are_made_where_there_is_one_deployment():
    shown = scene(a=[status(503)] * 4)

    with pytest.raises(LLMUnavailable) as caught:
        shown.complete()

    assert asked(shown) == ["a"] * 3
    assert shown.waited == [0.25, 0.5]
    assert caught.value.retry_after_seconds == 5.0


def test_every_deployment_is_asked_before_one_is_asked_again():
    shown = scene(a=[status(503)] * 2, b=[status(529)] * 2, c=[status(503)])

    with pytest.raises(LLMUnavailable):
        shown.complete()

    assert asked(shown) == ["a", "b", "c", "a", "b"]


class TestLimited:
    """A 429, with a fallback to another model unless the scene says otherwise."""

    def test_the_same_model_elsewhere_is_asked_at_once(self):
        shown = scene(a=[status(429, {"retry-after": "2"})], b=[answer()])

        assert shown.complete().deployment.name == "b"
        assert shown.waited == []

    def test_a_short_retry_after_is_waited_for_before_another_model(self):
        limited = status(429, {"retry-after": "2"})
        shown = scene(models={"b": "other"}, a=[limited, answer()], b=[answer()])

        assert shown.complete().deployment.name == "a"
        assert shown.waited == [2.0]

    def test_it_is_waited_for_once(self):
        limited = status(429, {"retry-after": "2"})
        shown = scene(models={"b": "other"}, a=[limited] * 2, b=[answer()])

        assert shown.complete().deployment.name == "b"
        assert shown.waited == [2.0]

    def test_another_model_is_asked_rather_than_waited_long(self):
        limited = status(429, {"retry-after": "4"})
        shown = scene(models={"b": "other"}, a=[limited], b=[answer()])

        assert shown.complete().deployment.name == "b"
        assert shown.waited == []

    def test_alone_a_short_retry_after_is_waited_for(self):
        shown = scene(a=[status(429, {"retry-after": "2"}), answer()])

        shown.complete()

        assert shown.waited == [2.0]

    def test_alone_a_429_that_lasts_ends_with_its_hint(self):
        shown = scene(a=[status(429, {"retry-after": "2"})] * 3)

        with pytest.raises(LLMRateLimited) as caught:
            shown.complete()

        assert caught.value.status == 429
        assert caught.value.retry_after_seconds == 2.0
        assert asked(shown) == ["a", "a"]

    def test_a_longer_retry_after_is_passed_on_to_the_caller(self):
        shown = scene(a=[status(429, {"retry-after": "120"})])

        with pytest.raises(LLMRateLimited) as caught:
            shown.complete()

        assert caught.value.retry_after_seconds == 120.0
        assert shown.waited == []

    def test_one_that_says_nothing_is_left_alone_for_a_second(self):
        shown = scene(a=[status(429), answer()])

        shown.complete()

        assert shown.waited == [1.0]


def test_every_attempt_tells_its_outcome_once():
    shown = scene(a=[status(503), status(401)], b=[LLMTimeout(), answer()])

    with pytest.raises(LLMTimeout):
        shown.complete()

    assert codes(shown) == [
        "LLM_UNAVAILABLE",
        "LLM_TIMEOUT",
        "LLM_CREDENTIAL_REJECTED",
    ]
    assert [attempt for attempt, _ in shown.ended] == shown.begun


def test_nothing_is_sent_after_the_deadline():
    shown = scene(a=[answer()], deadline_seconds=0.0)

    with pytest.raises(LLMTimeout) as caught:
        shown.complete()

    assert shown.begun == []
    assert caught.value.retry_after_seconds == 5.0


def test_after_the_deadline_no_fallback_is_asked():
    shown = scene(a=[status(503)], b=[answer()], deadline_seconds=1.0)

    with pytest.raises(LLMTimeout) as caught:
        shown.complete()

    assert asked(shown) == ["a"]
    assert "LLM_UNAVAILABLE" in caught.value.details


def test_after_the_deadline_a_fallback_without_an_upstream_still_answers():
    shown = scene(offline=FakeLocal(), a=[LLMTimeout()], b=[answer()])
    shown.senders["a"].seconds = 61.0

    result = shown.complete(DIGEST)

    assert asked(shown) == ["a", "offline"]
    assert (result.completion.text, result.attempts) == ("Extracted.", 2)


def test_a_request_that_is_late_already_is_answered_without_an_upstream():
    shown = scene(offline=FakeLocal(), a=[answer()], deadline_seconds=0.0)

    assert shown.complete(DIGEST).deployment.name == "offline"
    assert asked(shown) == ["offline"]


def test_after_the_deadline_what_offline_cannot_do_is_a_timeout():
    shown = scene(offline=FakeLocal(NoModelConfigured()), a=[status(503)])
    shown.senders["a"].seconds = 61.0

    with pytest.raises(LLMTimeout) as caught:
        shown.complete(DIGEST)

    assert "LLM_UNAVAILABLE" in caught.value.details


def test_an_outcome_tells_what_was_wrong_in_our_words():
    lost = LLMUnavailable(details="The connection was refused.")
    shown = scene(a=[lost], b=[HttpReply(503, {}, b"PRIVATE TEXT")], c=[answer()])

    shown.complete()

    first, second, third = [outcome.details for _, outcome in shown.ended]
    assert first == "The connection was refused."
    assert second not in ("", first)
    assert "PRIVATE" not in second
    assert third == ""


def test_a_wait_that_took_longer_than_the_deadline_is_followed_by_no_attempt():
    shown = scene(a=[status(503), answer()])
    shown.call = replace(shown.call, wait=lambda seconds: shown.clock.advance(100.0))

    with pytest.raises(LLMTimeout):
        shown.complete()

    assert asked(shown) == ["a"]


def test_a_wait_that_would_end_after_the_deadline_is_not_begun():
    shown = scene(a=[status(503)] * 9, deadline_seconds=2.7)
    begun_seconds = shown.clock.monotonic()

    with pytest.raises(LLMUnavailable):
        shown.complete()

    assert shown.clock.monotonic() - begun_seconds == 2.25


def test_an_unreadable_answer_ends_in_a_protocol_error_with_a_hint():
    shown = scene(a=[HttpReply(200, {}, b"<html>")] * 3)

    with pytest.raises(LLMProtocolError) as caught:
        shown.complete()

    assert caught.value.retry_after_seconds == 5.0


def test_a_caller_who_hangs_up_ends_the_wait():
    shown = scene(a=[status(503, {"retry-after": "3"}), answer()])
    caller, browser = socket.socketpair()

    def wait(seconds):
        shown.waited.append(seconds)
        if sum(shown.waited) > 1:
            browser.close()

    shown.call = replace(shown.call, wait=wait, caller=caller)

    with caller, pytest.raises(CallerGone):
        shown.complete()

    assert sum(shown.waited) < 2
    assert codes(shown) == ["LLM_UNAVAILABLE"]


def test_a_caller_who_stays_does_not_change_the_length_of_the_wait():
    shown = scene(a=[status(503, {"retry-after": "3"}), answer()])
    caller, browser = socket.socketpair()
    shown.call = replace(shown.call, caller=caller)

    with caller, browser:
        browser.sendall(b"GET /next")
        assert shown.complete().attempts == 2

    assert sum(shown.waited) == pytest.approx(3.0)


def test_an_answer_tells_what_went_wrong_before_it_once_and_in_order():
    shown = scene(a=[status(503)], b=[LLMTimeout()], c=[status(529)], d=[answer()])

    assert shown.complete().failures == ("LLM_UNAVAILABLE", "LLM_TIMEOUT")


def test_an_answer_at_once_had_no_failures():
    assert scene(a=[answer()]).complete().failures == ()


def test_a_deployment_that_was_left_out_is_a_failure_too():
    shown = scene(offline=FakeLocal(), a=[status(401)], b=[answer()])
    deployments = {
        "a": Deployment("a", "a", "vllm", "m"),
        "b": Deployment("b", "b", "vllm", "m", context_window=8),
    }
    route = Route(alias="main", weights={"a": 1, "b": 1}, fallbacks=("offline",))
    router = Router(
        Catalog((route,), deployments),
        shown.router._upstreams.providers,
        shown.senders,
        Policy(),
        Half(),
    )

    result = router.complete(DIGEST, shown.call)

    assert result.deployment.name == "offline"
    assert result.failures == ("LLM_CONTEXT_TOO_LONG", "LLM_CREDENTIAL_REJECTED")
