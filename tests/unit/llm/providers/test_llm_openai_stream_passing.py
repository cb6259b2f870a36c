"""Streams that are passed on as they came, with only a tap on them."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from fakes import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.errors import LLMProtocolError, LLMUnavailable
from flaskllm.llm.parts import Message
from flaskllm.llm.providers import build_provider
from flaskllm.llm.streams import Opening
from flaskllm.llm.types import CallerBody, CompletionRequest, Usage

REQUEST = CompletionRequest("fast", (Message("user", "x"),), stream=True)
COUNTED = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
READ = Usage(12, 0, 0, 5, 0, "provider")
DONE = b"data: [DONE]\n\n"
ASKED = {"stream_options": {"include_usage": True}}


def reader(wire="openai.chat", **fields):
    request = replace(REQUEST, body=CallerBody(wire, {"model": "fast", **fields}))
    return build_provider("vllm", None, None, FakeClock()).read_stream(request)


def read_whole(stream, sent):
    for data in sent:
        stream.feed(data)
    return stream.end()


def event(told):
    return f"data: {json.dumps(told)}\n\n".encode()


def chunk(finish=None, index=0, **delta):
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return event({"id": "c", "model": "m-1", "choices": [choice], "usage": None})


def text(words, finish=None, index=0):
    choice = {"index": index, "text": words, "finish_reason": finish}
    return event({"id": "c", "model": "m-1", "choices": [choice]})


USAGE = event({"id": "c", "choices": [], "usage": COUNTED})
BODY = chunk(role="assistant", content="") + chunk(content="Fri ü") + chunk("stop")


def passed(stream, data):
    return b"".join(stream.feed(data))


@given(st.lists(st.text(max_size=8), min_size=1), st.sampled_from(["chat", "text"]))
def test_events_that_differ_in_their_text_alone_are_all_read(words, wire):
    make = text if wire == "text" else lambda each: chunk(content=each)
    sent = b"".join(map(make, words))
    stream = reader(f"openai.{wire}")

    assert passed(stream, sent) == sent
    assert stream.output == "".join(words)
    assert stream.has_token == bool(stream.output)
    assert (stream.malformed, stream.is_finished, stream.model) == (0, False, "m-1")


def test_the_answers_of_several_choices_are_told_apart_by_their_finish():
    stream = reader(n=2)
    sent = b"".join(chunk(index=each % 2, content=f"w{each}") for each in range(6))

    assert passed(stream, sent + chunk("stop", index=1)) == sent + chunk("stop", 1)
    assert (stream.output, stream.is_finished) == ("w0w1w2w3w4w5", False)
    stream.feed(chunk("length"))
    assert (stream.is_finished, stream.finish_reason) == (True, "length")


def test_the_events_of_one_feed_are_one_piece():
    assert reader().feed(BODY) == (BODY,)


def test_where_nothing_is_whole_nothing_is_passed():
    stream = reader()

    assert stream.feed(BODY[:20]) == ()
    assert passed(stream, BODY[20:]) == BODY


def test_usage_is_stripped_when_the_caller_did_not_ask():
    stream = reader()

    assert passed(stream, BODY + USAGE + DONE) == BODY + DONE
    assert (stream.usage, stream.finish_reason, stream.model) == (READ, "stop", "m-1")
    assert stream.output == "Fri ü"
    assert stream.is_complete


@pytest.mark.parametrize("options", [None, 7, {}, {"include_usage": False}])
def test_any_other_wish_does_not_ask_for_usage(options):
    assert passed(reader(stream_options=options), BODY + USAGE) == BODY


def test_usage_is_passed_when_the_caller_asked():
    stream = reader(**ASKED)

    assert passed(stream, BODY + USAGE + DONE) == BODY + USAGE + DONE
    assert stream.usage == READ


def counted_by_us(data):
    """Return what the one event before the end mark says."""
    assert data.startswith(BODY)
    assert data.endswith(DONE)
    return json.loads(data[len(BODY) : -len(DONE)].removeprefix(b"data: "))


ENDS = {
    "with its end mark": lambda stream: passed(stream, BODY + DONE),
    "without": lambda stream: passed(stream, BODY) + b"".join(stream.end()),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_who_asked_for_usage_gets_an_estimate_where_the_upstream_never_counts(end):
    stream = reader(**ASKED)

    told = counted_by_us(end(stream))

    assert (told["id"], told["model"], told["choices"]) == ("c", "m-1", [])
    assert stream.usage.source == "estimated"
    prompt, completion = stream.usage.tokens_input, stream.usage.tokens_output
    assert min(prompt, completion) > 0
    assert told["usage"] == {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def test_what_the_upstream_counted_elsewhere_is_told_where_the_caller_looks():
    stream = reader(**ASKED)
    measured = {"prompt_n": 12, "predicted_n": 5}
    last = event({"id": "c", "choices": [], "timings": measured})

    data = passed(stream, BODY + last + DONE)

    told = json.loads(data.split(b"data: ")[-2])
    assert told["usage"] == COUNTED
    assert stream.usage == READ


def test_a_count_that_cannot_be_true_is_passed_and_not_told_twice():
    senseless = event({"choices": [], "usage": {"completion_tokens": -1}})

    assert passed(reader(**ASKED), BODY + senseless + DONE) == BODY + senseless + DONE


def test_who_did_not_ask_gets_no_estimate():
    assert passed(reader(), BODY + DONE) == BODY + DONE


def test_usage_beside_content_is_passed_untouched():
    both = event({"choices": [{"delta": {"content": "a"}}], "usage": COUNTED})

    assert passed(reader(), both) == both


def test_an_event_without_choices_that_counts_nothing_is_passed():
    first = event({"choices": [], "prompt_filter_results": []})

    assert passed(reader(), first) == first


def test_what_cannot_be_read_is_not_passed():
    stream = reader()

    assert passed(stream, b"data: {oops\n\n" + BODY) == BODY
    assert stream.malformed == 1


def test_a_forgotten_end_mark_is_put_in():
    stream = reader(**ASKED)
    stream.feed(BODY + USAGE)

    assert stream.end() == (DONE,)
    assert stream.end() == ()


def test_an_end_mark_without_a_finish_is_the_upstreams_word():
    stream = reader()

    assert passed(stream, chunk(content="a") + DONE) == chunk(content="a") + DONE
    assert stream.is_complete
    assert not stream.is_finished
    assert stream.end() == ()


def test_nothing_is_passed_after_the_end_mark():
    stream = reader()

    assert passed(stream, BODY + DONE + BODY) == BODY + DONE
    assert stream.feed(BODY) == ()


@pytest.mark.parametrize("sent", [[DONE], [b""], [chunk(content="a")]], ids=repr)
def test_what_ends_before_its_finish_is_broken(sent):
    with pytest.raises(LLMProtocolError):
        read_whole(reader(), sent)


def test_an_error_is_raised_and_never_passed():
    with pytest.raises(LLMUnavailable):
        reader().feed(event({"error": {"message": "x"}}))


CHOICES = {
    "one": ({}, 1),
    "several": ({"n": 3}, 3),
    "a number that is none": ({"n": "3"}, 1),
    "a prompt": ({"prompt": "a"}, 1),
    "two prompts": ({"prompt": ["a", "b"]}, 2),
    "two answers to each of two prompts": ({"prompt": ["a", "b"], "n": 2}, 4),
    "a prompt in tokens": ({"prompt": [1, 2, 3]}, 1),
    "two prompts in tokens": ({"prompt": [[1, 2], [3]]}, 2),
    "no prompt": ({"prompt": []}, 1),
}


@pytest.mark.parametrize(("fields", "count"), CHOICES.values(), ids=CHOICES)
def test_it_is_finished_when_every_answer_is(fields, count):
    stream = reader("openai.text", **fields)

    for index in range(count):
        assert not stream.is_finished
        stream.feed(text("a", "length" if index else "stop", index))

    assert stream.is_finished
    assert stream.finish_reason == "stop"
    assert stream.output == "a" * count


def test_the_first_answers_finish_is_the_one_that_is_told():
    stream = reader(n=2)

    stream.feed(chunk("length", index=1) + chunk("stop", index=0))

    assert stream.finish_reason == "stop"


def test_a_text_that_is_none_says_nothing():
    stream = reader("openai.text")

    assert passed(stream, text(None)) == text(None)
    assert not stream.has_token


STREAM = BODY + b": comment\n\n" + USAGE + DONE


@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=30), asks=st.booleans())
def test_where_the_network_cuts_changes_nothing(cuts, asks):
    stream = reader(**ASKED) if asks else reader()
    places = sorted({0, *cuts, len(STREAM)})

    out = b"".join(passed(stream, STREAM[start:end]) for start, end in pairwise(places))

    assert out == BODY + (USAGE if asks else b"") + DONE


@pytest.mark.parametrize("cut", range(len(STREAM)))
def test_a_cut_anywhere_gives_a_prefix_and_an_end_mark_only_after_the_finish(cut):
    stream, whole = reader(**ASKED), BODY + USAGE + DONE

    out = passed(stream, STREAM[:cut])
    if stream.is_finished:
        out += b"".join(stream.end())
        assert out == whole or counted_by_us(out)["usage"]
    else:
        with pytest.raises(LLMProtocolError):
            stream.end()
        assert whole.startswith(out)
        assert b"[DONE]" not in out


def test_how_an_answer_began_is_known_once_its_first_event_was_passed_on():
    stream = reader()
    first = {"id": "c-1", "model": "m-1", "created": 17, "choices": []}

    before = stream.opening
    stream.feed(event(first) + chunk(content="a"))

    assert before is None
    assert stream.opening == Opening("c-1", "m-1", 17)


def test_an_event_before_the_first_that_has_no_name_yet_is_not_how_it_began():
    azures = {"id": "", "model": "", "created": 0, "choices": [], "filters": []}
    first = {"id": "c-1", "model": "m-1", "created": 17, "choices": []}
    stream = reader(**ASKED)

    stream.feed(event(azures) + event(first) + chunk("stop", content="a"))
    (end,) = stream.end()

    assert stream.opening == Opening("c-1", "m-1", 17)
    assert json.loads(end.split(b"data: ")[1])["id"] == "c-1"


def test_what_is_not_said_of_the_beginning_is_left_open():
    stream = reader()

    stream.feed(event({"id": 7, "created": "now", "choices": [{"index": 0}]}))

    assert stream.opening == Opening("", "", None)


def test_an_error_after_events_in_the_same_bytes_does_not_lose_them():
    stream = reader()
    sent = chunk(content="a") + chunk(content="b")

    assert passed(stream, sent + event({"error": {"message": "x"}})) == sent
    assert isinstance(stream.broken, LLMUnavailable)
    assert stream.text == "ab"


def test_an_event_that_breaks_off_is_neither_passed_on_nor_kept():
    stream = reader()

    assert passed(stream, chunk(content="a") + chunk("error", content="b")) == chunk(
        content="a"
    )
    assert stream.text == "a"


def test_a_hole_is_not_passed_on():
    stream = reader()
    hole = b'data: {"choices": [{"delta": {"content": "b\n\n'

    assert passed(stream, chunk(content="a") + hole) == chunk(content="a")
    assert isinstance(stream.broken, LLMProtocolError)


@given(st.lists(st.tuples(st.integers(0, 1), st.text(max_size=4)), max_size=12))
def test_of_several_choices_the_text_is_that_of_the_first(told):
    stream = reader(n=2)

    stream.feed(b"".join(chunk(index=index, content=word) for index, word in told))

    assert stream.text == "".join(word for index, word in told if index == 0)
    assert stream.output == "".join(word for _, word in told)
    assert not stream.is_joinable


SEVERAL = {
    "another": chunk(index=1, content="b"),
    "two at once": event({"choices": [{"delta": {"content": "b"}}, {"delta": {}}]}),
}


@pytest.mark.parametrize("sent", SEVERAL.values(), ids=SEVERAL)
def test_a_second_choice_that_nobody_asked_for_is_not_to_be_joined(sent):
    stream = reader()
    stream.feed(chunk(content="a"))
    assert stream.is_joinable

    stream.feed(sent)

    assert not stream.is_joinable
