"""A stream is read on to its end, and its attempt is told exactly once."""

from dataclasses import replace

import pytest
from stream_scene import (
    RAW,
    REQUEST,
    FakeStream,
    LineProvider,
    Silence,
    stream_scene,
)

from flaskllm.core.errors import (
    CallerGone,
    LLMProtocolError,
    LLMRefused,
    LLMTimeout,
    LLMUnavailable,
)
from flaskllm.llm.intake import Limits
from flaskllm.llm.open_stream import OpenStream
from flaskllm.llm.patience import Policy
from flaskllm.llm.settlement import Settlement
from flaskllm.llm.streams import Chunk
from flaskllm.llm.tokens import estimate, estimate_request
from flaskllm.llm.types import Attempt, Usage

WHOLE = [b"text:On \n", b"text:Friday.\n", b"finish:stop\nusage:12,5\n", b"done\n"]
ONCE = Policy(retries=0)


def texts(answer):
    return [piece.text for piece in answer if isinstance(piece, Chunk) and piece.text]


def test_a_stream_comes_whole_and_is_told_once():
    shown = stream_scene(a=[WHOLE])

    answer = shown.stream()

    assert shown.ended == []
    assert texts(answer) == ["On ", "Friday."]
    answer.close()
    answer.close()
    assert shown.outcome.code == "OK"
    assert shown.outcome.usage == Usage(12, 0, 0, 5, 0, "provider")
    assert (answer.usage, answer.finish_reason) == (shown.outcome.usage, "stop")
    assert shown.begun == [shown.ended[0][0]]


@pytest.mark.parametrize("request_", [REQUEST, RAW], ids=["chunks", "raw"])
def test_an_answer_is_complete_once_its_end_mark_was_read(request_):
    answer = stream_scene(a=[WHOLE]).stream(request_)
    pieces = iter(answer)
    seen = []

    for piece in pieces:
        seen.append((piece, answer.is_complete))

    assert [is_complete for _, is_complete in seen[:-1]] == [False] * (len(seen) - 1)
    assert answer.is_complete
    if request_ is RAW:  # the end mark is itself passed on
        assert seen[-1] == (b"done\n", True)


def test_the_answer_tells_where_it_comes_from():
    answer = stream_scene(a=[[b"model:m-7\ntext:x\n"]]).stream()

    assert (answer.alias, answer.deployment.name) == ("main", "a")
    assert (answer.attempts, answer.failures) == (1, ())
    assert (answer.model, answer.finish_reason) == ("m-7", None)
    assert (answer.dropped, answer.is_raw) == (("seed",), False)


def test_an_upstream_without_a_name_for_itself_gets_the_deployments():
    assert stream_scene(a=[WHOLE]).stream().model == "m"


def test_a_caller_of_the_same_dialect_gets_the_bytes():
    answer = stream_scene(a=[WHOLE]).stream(RAW)

    assert answer.is_raw
    assert b"".join(answer) == b"".join(WHOLE)


def test_the_upstream_is_asked_to_stream():
    shown = stream_scene(a=[WHOLE])

    shown.stream()

    request, deadline, caller, _ = shown.senders["a"].opened[0]
    assert request.body == b"m True"
    assert (deadline, caller) == (shown.call.deadline, None)


def test_reading_stops_at_the_end_mark_and_lets_go_of_the_connection():
    stream = [*WHOLE, LLMUnavailable()]
    shown = stream_scene(a=[stream])
    opened = shown.senders["a"].script[0]

    list(shown.stream())

    assert opened.steps == stream[-1:]
    assert opened.closed == 1


def test_the_time_to_the_first_token_is_told():
    shown = stream_scene(a=[[Silence(2.0), *WHOLE]])

    list(shown.stream())

    assert shown.outcome.first_token_seconds == 2.0


def test_silence_after_the_first_token_yields_a_sign_of_life_every_five_seconds():
    shown = stream_scene(a=[[WHOLE[0], Silence(12.0), *WHOLE[1:]]])

    pieces = list(shown.stream())

    assert pieces[1:3] == [None, None]
    assert pieces.count(None) == 2
    assert shown.outcome.code == "OK"


def test_fifteen_seconds_of_silence_break_the_stream():
    shown = stream_scene(a=[[WHOLE[0], Silence(60.0)]])
    answer = iter(shown.stream())

    assert next(answer).text == "On "
    with pytest.raises(LLMTimeout):
        list(answer)
    assert shown.outcome.code == "LLM_TIMEOUT"
    assert shown.outcome.latency_seconds == 15.0


BREAKS = {
    "closed": ([], LLMProtocolError),
    "reset": ([LLMUnavailable()], LLMUnavailable),
    "an error event": ([b"error\n"], LLMUnavailable),
    "the caller is gone": ([CallerGone()], CallerGone),
    "a fault of ours": ([KeyError("x")], KeyError),
}


@pytest.mark.parametrize(("steps", "error"), BREAKS.values(), ids=BREAKS)
def test_what_breaks_after_the_first_token_is_raised_and_told_with_an_estimate(
    steps, error
):
    shown = stream_scene(policy=ONCE, a=[[WHOLE[0], *steps]])
    opened = shown.senders["a"].script[0]
    answer = iter(shown.stream())

    assert next(answer).text == "On "
    with pytest.raises(error):
        list(answer)

    assert shown.codes == [getattr(error, "code", "INTERNAL_ERROR")]
    assert shown.outcome.usage == Usage(
        input_uncached=estimate_request(REQUEST),
        output_text=estimate("On "),
        source="estimated",
    )
    assert opened.closed


def test_a_count_that_came_before_the_output_is_not_believed_when_it_broke_off():
    words = "word " * 50
    steps = [b"usage:12,1\n", f"text:{words}\n".encode()]
    shown = stream_scene(policy=ONCE, a=[steps])

    with pytest.raises(LLMProtocolError):
        list(shown.stream())

    usage = shown.outcome.usage
    assert (usage.input_uncached, usage.source) == (12, "estimated")
    assert usage.output_text == estimate(words)


def test_a_count_that_covers_the_output_is_believed_when_it_broke_off():
    shown = stream_scene(policy=ONCE, a=[[b"usage:12,99\ntext:x\n"]])

    with pytest.raises(LLMProtocolError):
        list(shown.stream())

    assert shown.outcome.usage == Usage(12, 0, 0, 99, 0, "provider")


def test_a_count_is_believed_when_the_end_mark_came_without_a_finish():
    words = "word " * 50
    shown = stream_scene(a=[[f"text:{words}\nusage:12,1\ndone\n".encode()]])

    list(shown.stream())

    assert shown.outcome.usage == Usage(12, 0, 0, 1, 0, "provider")


TAILS = {
    "silence": [Silence(60.0)],
    "reset": [LLMUnavailable()],
    "closed": [],
    "comments without end": [b": x\n", Silence(0.6)] * 5,
}


@pytest.mark.parametrize("tail", TAILS.values(), ids=TAILS)
def test_after_the_finish_an_upstream_has_a_second_for_the_rest(tail):
    shown = stream_scene(a=[[b"text:x\nfinish:length\n", *tail]])

    answer = shown.stream()
    list(answer)

    assert shown.outcome.code == "OK"
    assert answer.finish_reason == "length"
    assert shown.outcome.usage.source == "estimated"
    assert shown.outcome.latency_seconds <= 1.3


def test_a_finish_that_need_not_be_the_last_word_is_not_hurried():
    steps = [b"text:a\nfinish:stop\n", Silence(9.0), b"text:b\nfinish:stop\n"]
    provider = LineProvider(may_go_on=True)
    shown = stream_scene(provider=provider, a=[[*steps, Silence(60.0)]])

    assert texts(shown.stream()) == ["a", "b"]
    assert shown.outcome.code == "OK"
    assert shown.outcome.latency_seconds == 9.0 + 15.0


def test_usage_that_comes_within_the_second_is_taken():
    steps = [b"text:x\nfinish:stop\n", Silence(0.8), b"usage:3,4\n", Silence(60.0)]
    shown = stream_scene(a=[steps])

    list(shown.stream())

    assert shown.outcome.usage == Usage(3, 0, 0, 4, 0, "provider")


def test_a_slow_caller_does_not_use_up_the_second():
    shown = stream_scene(a=[[b"text:x\nfinish:stop\n", b"usage:3,4\ndone\n"]])

    answer = iter(shown.stream())
    next(answer)
    shown.clock.advance(30.0)
    list(answer)

    assert shown.outcome.usage.source == "provider"


def test_the_second_is_over_also_when_something_came_in_it():
    shown = stream_scene(a=[[b"text:x\nfinish:stop\n", b"text:y\n", b"text:z\n"]])
    heard = []

    for piece in shown.stream():
        heard.append(piece.text)
        shown.clock.advance(1.2)

    assert heard == ["x", "", "y"]
    assert shown.codes == ["OK"]


def test_a_caller_who_goes_after_the_finish_is_noticed():
    shown = stream_scene(a=[[b"text:x\nfinish:stop\n", CallerGone()]])

    with pytest.raises(CallerGone):
        list(shown.stream())

    assert shown.codes == ["CALLER_GONE"]


class TestClosedEarly:
    def test_before_anything_was_read(self):
        shown = stream_scene(a=[WHOLE])
        opened = shown.senders["a"].script[0]

        shown.stream().close()

        assert shown.outcome.code == "CALLER_GONE"
        assert shown.outcome.usage.output_text == estimate("On ")
        assert opened.closed

    def test_between_two_pieces(self):
        shown = stream_scene(a=[WHOLE])
        answer = shown.stream()

        next(iter(answer))
        answer.close()

        assert shown.codes == ["CALLER_GONE"]
        assert list(answer) == []

    def test_when_the_iterator_alone_is_closed(self):
        shown = stream_scene(a=[WHOLE])
        pieces = iter(shown.stream())

        next(pieces)
        pieces.close()

        assert shown.codes == ["CALLER_GONE"]

    def test_after_the_end_mark_the_attempt_was_a_success(self):
        shown = stream_scene(a=[[b"".join(WHOLE)]])
        answer = shown.stream()

        next(iter(answer))
        answer.close()

        assert shown.codes == ["OK"]


class TestRefusals:
    def test_a_prompt_that_was_refused_before_a_word_is_an_error_with_a_bill(self):
        refused = [b"finish:content_filter\n", b"usage:12,0\ndone\n"]
        shown = stream_scene(a=[refused], b=[WHOLE])

        with pytest.raises(LLMRefused) as caught:
            shown.stream()

        assert shown.outcome.code == "LLM_REFUSED"
        assert shown.outcome.usage == Usage(12, 0, 0, 0, 0, "provider")
        assert caught.value.retry_after_seconds is None

    def test_an_upstream_that_breaks_after_its_refusal_has_refused_all_the_same(self):
        shown = stream_scene(a=[[b"finish:content_filter\n", b"error\n"]])

        with pytest.raises(LLMRefused):
            shown.stream()

    def test_an_answer_that_was_stopped_halfway_is_passed_on(self):
        shown = stream_scene(a=[[b"text:On \n", b"finish:content_filter\n"]])

        answer = shown.stream()

        assert texts(answer) == ["On "]
        assert answer.finish_reason == "content_filter"
        assert shown.codes == ["OK"]


def opened_with(limits, steps):
    """Return a stream of one attempt under limits of its own."""
    shown = stream_scene(a=[])
    deployment = shown.router._catalog.deployment("a")
    settlement = Settlement(Attempt(1, "main", deployment), shown.call)
    stream = FakeStream(shown.clock, list(steps))
    reader = shown.router._upstreams.providers["a"].read_stream(REQUEST)
    return shown, OpenStream(REQUEST, stream, reader, settlement, shown.clock, limits)


def test_what_comes_before_the_first_token_has_a_cap():
    limits = replace(Limits(), held_bytes=100)
    _, source = opened_with(limits, [b": twenty characters\n"] * 9)

    with pytest.raises(LLMProtocolError, match="could not be read") as caught:
        source.hold_until_token(None)

    assert "100 bytes came without a token" in caught.value.details


def test_the_whole_body_has_a_cap():
    limits = replace(Limits(), body_bytes=100)
    shown, source = opened_with(limits, [b"text:twenty letters\n"] * 9)

    source.hold_until_token(None)
    with pytest.raises(LLMProtocolError) as caught:
        list(source)

    assert "longer than 100 bytes" in caught.value.details
    assert shown.codes == ["LLM_PROTOCOL_ERROR"]
