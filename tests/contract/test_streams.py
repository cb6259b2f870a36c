"""What every provider keeps of a stream, whatever its dialect and its network."""

import json
import re
from dataclasses import replace

import pytest
from contract_requests import ASKS, deployment
from folding import fold, forget_ids, read_whole
from recordings import build, completion_of, place, read_all

from flaskllm.core import errors
from flaskllm.core.errors import LLMAPIError
from flaskllm.core.sse import SSEParser
from flaskllm.llm.types import CallerBody

STREAMS = [each for each in read_all() if each.is_stream]
GOOD = [each for each in STREAMS if not each.is_error]
BAD = [each for each in STREAMS if each.is_error]


def asked(recording):
    return replace(ASKS[recording.asks], stream=True)


def reader_of(recording):
    return build(recording.folder).read_stream(asked(recording))


@pytest.mark.parametrize("recording", GOOD, ids=str)
@pytest.mark.parametrize("size", [None, 1, 7])
def test_a_recorded_stream_becomes_its_value_however_it_is_cut(recording, size):
    means = dict(recording.means)
    malformed = means.pop("malformed", 0)
    reader = reader_of(recording)

    folded = fold(read_whole(reader, recording.data, size))

    expected = completion_of(means)
    assert forget_ids(folded, means) == expected
    assert (reader.usage, reader.finish_reason, reader.model) == (
        expected.usage,
        expected.finish_reason,
        expected.model,
    )
    assert reader.has_token
    assert reader.is_finished
    assert reader.malformed == malformed
    assert expected.text in reader.output
    assert reader.text == expected.text
    assert (reader.broken, reader.opening) == (None, None)


# Words that stand on what a tool of the upstream's own found.
NOT_WORDS_ALONE = {"anthropic/stream_server_tool"}


@pytest.mark.parametrize("recording", GOOD, ids=str)
def test_only_an_answer_of_words_is_one_that_another_deployment_may_go_on_with(
    recording,
):
    reader = reader_of(recording)

    read_whole(reader, recording.data)

    means = recording.means
    is_more = means.get("tool_calls") or means.get("refusal")
    assert reader.is_joinable == (not is_more and str(recording) not in NOT_WORDS_ALONE)


ERROR = b'{"error": {"message": "overloaded", "code": 503}}'


def ends_of_events(recording):
    """Return what came up to the end of each event, and an event that tells an error.

    None of them is whole: at a stream's end no error can follow.
    """
    if recording.told["stream"].endswith(".ndjson"):
        places, error = re.finditer(rb"\n", recording.data), ERROR + b"\n"
    else:
        places = re.finditer(rb"(\r?\n){2}", recording.data)
        error = b"event: error\ndata: " + ERROR + b"\n\n"
    return [recording.data[: place.end()] for place in places][:-1], error


def bodies(folder):
    """Return a body of the caller's for each dialect that is passed on."""
    fields = {"model": "fast", "stream_options": {"include_usage": True}}
    return [CallerBody(wire, fields) for wire in sorted(build(folder).wires)]


@pytest.mark.parametrize("recording", GOOD, ids=str)
@pytest.mark.parametrize("is_passed_on", [False, True])
def test_an_error_in_the_same_bytes_loses_nothing_that_came_before(
    recording, is_passed_on
):
    bodies_here = bodies(recording.folder) if is_passed_on else [None]
    prefixes, error = ends_of_events(recording)

    for body in bodies_here:
        asked_here = replace(asked(recording), body=body)
        for sent in prefixes:
            plain, broken = (
                build(recording.folder).read_stream(asked_here) for _ in range(2)
            )
            told = list(plain.feed(sent))
            if plain.is_complete:
                break
            if told:
                # Not the same: ids that an upstream left out are made up.
                assert len(broken.feed(sent + error)) == len(told)
                assert isinstance(broken.broken, LLMAPIError)
            else:
                with pytest.raises(LLMAPIError):
                    broken.feed(sent + error)
            assert broken.text == plain.text
            if not is_passed_on:
                assert broken.text == "".join(each.text for each in told)


@pytest.mark.parametrize("recording", BAD, ids=str)
def test_a_stream_that_tells_an_error_or_breaks_off_is_an_error(recording):
    reader = reader_of(recording)

    with pytest.raises(LLMAPIError) as caught:
        read_whole(reader, recording.data)

    assert type(caught.value) is getattr(errors, recording.means["error"])
    assert not reader.is_finished


@pytest.mark.parametrize("recording", GOOD, ids=str)
def test_a_stream_that_is_cut_is_a_prefix_and_never_ends_well_before_its_finish(
    recording,
):
    data, whole = recording.data, recording.means.get("text", "")
    cuts = [place for place, sign in enumerate(data) if sign == 0x0A]
    if recording.told["stream"].endswith(".ndjson"):
        cuts.pop()  # the last line is whole without its break

    for cut in cuts:
        reader = reader_of(recording)
        pieces = list(reader.feed(data[:cut]))
        if not reader.is_finished:
            with pytest.raises(LLMAPIError):
                reader.end()
            assert reader.broken is None
        assert whole.startswith("".join(piece.text for piece in pieces))
        # What is kept is what was told, to a character: a rescue goes on from there.
        assert reader.text == "".join(piece.text for piece in pieces)


@pytest.mark.parametrize("recording", STREAMS, ids=str)
def test_a_stream_is_asked_for(recording):
    there = deployment(place(recording.folder).kind)

    streamed = build(recording.folder).encode(asked(recording), there)
    whole = build(recording.folder).encode(ASKS[recording.asks], there)

    assert streamed != whole


PASSED = [
    (recording, body)
    for recording in GOOD
    for body in bodies(recording.folder)
    if body.wire != "openai.text" and "malformed" not in recording.means
]


@pytest.mark.parametrize(("recording", "body"), PASSED, ids=lambda each: str(each)[:40])
@pytest.mark.parametrize("size", [None, 1])
def test_where_the_dialect_is_shared_every_event_is_passed_on_as_it_came(
    recording, body, size
):
    request = replace(asked(recording), body=body)
    reader = build(recording.folder).read_stream(request)
    events = SSEParser().feed(recording.data)

    passed = b"".join(read_whole(reader, recording.data, size))

    sent = b"".join(event.raw for event in events if event.data != b"[DONE]")
    assert passed.startswith(sent)
    told = completion_of(recording.means).usage
    assert reader.usage == told or (told.source, reader.usage.source) == (
        "none",
        "estimated",
    )
    assert reader.text == recording.means.get("text", "")
    assert reader.opening.model == recording.means["model"]
    assert f'"{reader.opening.id}"'.encode() in sent
    ours = [event.data for event in SSEParser().feed(passed.removeprefix(sent))]
    if body.wire == "anthropic.messages":
        assert ours == []
        return
    *counted, last = ours
    assert last == b"[DONE]"
    # Where the caller looks for it, usage stands once: theirs, or else ours.
    assert all(json.loads(each)["choices"] == [] for each in counted)
    assert sent.count(b'"total_tokens"') > 0 or len(counted) == 1


@pytest.mark.parametrize("recording", GOOD, ids=str)
def test_a_whole_answer_is_no_stream(recording):
    reader = reader_of(recording)

    with pytest.raises(LLMAPIError):
        read_whole(reader, json.dumps({"id": "x", "choices": []}).encode() + b"\n\n")
