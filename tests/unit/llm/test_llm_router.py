"""One request becomes one answer, and each attempt at it is announced and told."""

from dataclasses import replace

import pytest
from router_scene import DIGEST, REQUEST, FakeLocal, Half, answer, codes, scene, status

from flaskllm.core.errors import (
    BudgetExceeded,
    CallerGone,
    LLMContextTooLong,
    LLMCredentialRejected,
    LLMInvalidRequest,
    LLMRefused,
    LLMRequestRejected,
    ModelNotFound,
    NoModelConfigured,
)
from flaskllm.llm.catalog import Catalog, Route
from flaskllm.llm.parts import Thinking, ToolCall
from flaskllm.llm.patience import Policy
from flaskllm.llm.router import Router
from flaskllm.llm.tokens import estimate, estimate_messages
from flaskllm.llm.types import Completion, Deployment, Usage


def test_the_first_answer_is_returned_with_where_it_came_from():
    shown = scene(a=[answer()])

    result = shown.complete()

    assert result.completion == Completion(
        "Friday.", "stop", Usage(12, 0, 0, 5, 0, "provider"), "upstream-name"
    )
    assert (result.alias, result.deployment.name, result.attempts) == ("main", "a", 1)


def test_the_sender_gets_the_deadline_the_caller_and_no_first_byte_limit():
    shown = scene(a=[answer()])
    shown.call = replace(shown.call, caller=(caller := object()))

    shown.complete()

    (sent,) = shown.senders["a"].sent
    assert sent[0].url == "http://127.0.0.1:8000/v1/chat/completions"
    assert sent[1:] == (shown.call.deadline, caller, None)


def test_an_attempt_is_announced_and_its_outcome_told():
    shown = scene(a=[answer()])

    shown.complete()

    ((attempt, outcome),) = shown.ended
    assert shown.begun == [attempt]
    assert (attempt.number, attempt.alias, attempt.deployment.name) == (1, "main", "a")
    assert (outcome.code, outcome.latency_seconds) == ("OK", 1.0)
    assert outcome.usage == Usage(12, 0, 0, 5, 0, "provider")


def test_usage_that_cannot_be_trusted_is_estimated():
    shown = scene(a=[answer(usage=None)])

    usage = shown.complete().completion.usage

    assert usage == Usage(
        input_uncached=estimate_messages(REQUEST.messages),
        output_text=estimate("Friday."),
        source="estimated",
    )
    assert shown.ended[0][1].usage == usage


def test_an_upstream_without_a_name_for_itself_gets_the_deployments():
    shown = scene(a=[answer(model=None)])

    assert shown.complete().completion.model == "m"


WITHHELD = {
    "nothing said": (REQUEST, ""),
    "half a digest": (DIGEST, '{"summary": '),
}


@pytest.mark.parametrize(("request_", "said"), WITHHELD.values(), ids=WITHHELD)
def test_a_refusal_is_passed_through_and_its_tokens_are_counted(request_, said):
    shown = scene(a=[answer(said, finish_reason="content_filter")], b=[answer()])

    with pytest.raises(LLMRefused) as caught:
        shown.complete(request_)

    ((_, outcome),) = shown.ended
    assert outcome.code == "LLM_REFUSED"
    assert outcome.usage.tokens_output == 5
    assert caught.value.retry_after_seconds is None


def test_what_was_said_before_the_filter_stopped_it_is_the_callers():
    shown = scene(a=[answer("On Fri", finish_reason="content_filter")], b=[answer()])

    completion = shown.complete().completion

    assert (completion.text, completion.finish_reason) == ("On Fri", "content_filter")
    assert codes(shown) == ["OK"]


def test_a_caller_who_is_gone_ends_the_request():
    shown = scene(a=[CallerGone()], b=[answer()])

    with pytest.raises(CallerGone):
        shown.complete()

    assert codes(shown) == ["CALLER_GONE"]


@pytest.mark.parametrize("error", [KeyError("a bug"), SystemExit(1)], ids=repr)
def test_an_unexpected_error_leaves_as_it_is_but_is_told(error):
    shown = scene(a=[error], b=[answer()])

    with pytest.raises(type(error)) as caught:
        shown.complete()

    assert caught.value is error
    assert codes(shown) == ["INTERNAL_ERROR"]
    assert shown.ended[0][1].details == ""


def test_an_attempt_that_may_not_be_made_has_no_outcome():
    def spend(attempt):
        if attempt.number == 2:
            raise BudgetExceeded

    shown = scene(a=[status(503), answer()], begin=spend)

    with pytest.raises(BudgetExceeded):
        shown.complete()

    assert codes(shown) == ["LLM_UNAVAILABLE"]
    assert len(shown.senders["a"].sent) == 1


def test_offline_answers_a_digest_when_the_route_names_it():
    shown = scene(offline=FakeLocal(), a=[status(503)])

    result = shown.complete(DIGEST)

    assert result.deployment.degraded
    assert (result.alias, result.completion.text) == ("offline", "Extracted.")
    assert result.completion.usage == Usage()
    assert codes(shown) == ["LLM_UNAVAILABLE", "OK"]


def test_offline_does_not_answer_a_chat():
    shown = scene(offline=FakeLocal(), a=[status(404)])

    with pytest.raises(LLMRequestRejected):
        shown.complete()

    with pytest.raises(ModelNotFound):
        shown.complete(replace(REQUEST, model="offline"))


def test_what_needed_no_upstream_has_no_stream_to_be_read_again():
    shown = scene(offline=FakeLocal(), a=[status(503)])
    offline = shown.complete(DIGEST).deployment

    assert shown.router.read_again(offline, DIGEST, b"data: {}\n\n") == ()


def test_what_offline_cannot_do_does_not_hide_why_the_model_failed():
    shown = scene(offline=FakeLocal(NoModelConfigured()), a=[status(401)])

    with pytest.raises(LLMCredentialRejected):
        shown.complete(DIGEST)


def test_what_offline_cannot_do_is_said_when_it_was_asked_for_by_name():
    shown = scene(offline=FakeLocal(NoModelConfigured()), a=[answer()])

    with pytest.raises(NoModelConfigured):
        shown.complete(replace(DIGEST, model="offline"))


def test_after_offline_could_not_a_passing_failure_is_retried():
    shown = scene(offline=FakeLocal(NoModelConfigured()), a=[status(503), answer()])

    result = shown.complete(DIGEST)

    assert (result.deployment.name, result.attempts) == ("a", 3)


def test_an_input_longer_than_every_window_is_refused_before_money_is_spent():
    shown = scene(a=[answer()])
    small = Deployment("a", "box", "vllm", "m", context_window=8)
    route = Route(alias="main", weights={"a": 1})
    router = Router(Catalog((route,), {"a": small}), {}, {}, Policy(), Half())

    with pytest.raises(LLMContextTooLong, match="longer than") as caught:
        router.complete(REQUEST, shown.call)

    assert "8 tokens" in caught.value.details
    assert shown.begun == []


def test_an_unknown_model_is_refused_before_anything_is_sent():
    shown = scene(a=[answer()])

    with pytest.raises(ModelNotFound):
        shown.complete(replace(REQUEST, model="gpt-9"))

    assert shown.begun == []


def test_what_the_caller_has_to_mend_is_tried_nowhere_else():
    shown = scene(a=[status(400)], b=[answer()])

    with pytest.raises(LLMInvalidRequest):
        shown.complete()

    assert codes(shown) == ["LLM_INVALID_REQUEST"]


def test_what_we_wrote_ourselves_is_not_the_callers_to_mend():
    shown = scene(a=[status(400)], b=[answer()])

    assert shown.complete(DIGEST).deployment.name == "b"
    assert codes(shown) == ["LLM_REQUEST_REJECTED", "OK"]


def test_thoughts_and_calls_count_where_the_upstream_does_not():
    call = ToolCall("call-1", "find", '{"day": "Friday"}')
    said = Completion(
        "On Friday.",
        "tool_calls",
        Usage(),
        "m",
        tool_calls=(call,),
        thinking=(Thinking("Which day?"),),
    )

    class Provider:
        def encode(self, request, deployment):
            return None

        def decode(self, reply, request):
            return said

        def dropped(self, request, deployment):
            return ("seed", deployment.name)

    shown = scene(a=[answer()])
    router = Router(
        shown.router._catalog, {"a": Provider()}, shown.senders, Policy(), Half()
    )

    result = router.complete(REQUEST, shown.call)

    everything = 'On Friday.Which day?find{"day": "Friday"}'
    assert result.completion.usage.output_text == estimate(everything)
    assert result.dropped == ("seed", "a")
