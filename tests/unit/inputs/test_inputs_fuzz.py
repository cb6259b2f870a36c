"""No transcript, however broken, fails in another way or takes long."""

import json
import time

import pytest
from fuzz.fuzz_inputs import CORPUS, check
from hypothesis import given, settings
from hypothesis import strategies as st

from flaskllm.inputs import parse
from flaskllm.inputs.transcripts import json_forms

KEYS = st.sampled_from(
    """
    data transcript sentences segments utterances words results channels
    alternatives items entries transcriptEntries speaker_blocks phrases nBest NBest
    recognizedPhrases paragraphs transcription participants text start end startTime
    start_time speaker speaker_name participant display_name timestamp spokenText
    offsetMilliseconds content audio_segments transcripts offsets from to name email
    startDateTime date speaker_labels DisplayText Offset meeting_attendees
    """.split()  # noqa: SIM905
)
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
    | st.text(max_size=9)
    | st.sampled_from(["2026-05-04T10:00:00Z", "00:01:02", "1.5", "Ann", "a@x.example"])
)  # fmt: skip
SHAPES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5)
    ),
    max_leaves=25,
)
CORPUS_BYTES = [path.read_bytes() for path in sorted(CORPUS.iterdir())]


@st.composite
def mutated(draw):
    content = bytearray(draw(st.sampled_from(CORPUS_BYTES)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        size = draw(st.integers(0, 9))
        piece = draw(st.binary(max_size=9) | st.just(bytes(content[at : at + 30])))
        content[at : at + size] = piece
    return bytes(content)


@settings(max_examples=150, deadline=None)
@given(SHAPES)
def test_json_with_the_keys_of_transcripts_is_read_or_refused(value):
    check(json.dumps(value).encode())


@settings(max_examples=150, deadline=None)
@given(mutated())
def test_a_broken_transcript_is_read_or_refused(content):
    check(content)


@pytest.mark.parametrize("path", sorted(CORPUS.iterdir()), ids=lambda path: path.name)
def test_what_was_found_once_stays_mended(path):
    check(path.read_bytes())


LINE = "word and so on"
TIMES = "00:00:01.000 --> 00:00:02.000"
LONG = {
    "vtt": lambda cues: "WEBVTT\n\n" + f"{TIMES}\nAnn Lee: {LINE}\n\n" * cues,
    "voices": lambda cues: f"WEBVTT\n\n{TIMES}\n" + "<v Ann>hi" * cues,
    "chat": lambda cues: f"00:00:01\tAnn Lee:\t{LINE}\n" * cues,
    "a message": lambda cues: "00:00:01\tAnn Lee:\tx\n" + f"{LINE}\n" * cues,
    "a reaction": lambda cues: "00:01:01\tA:\tRemoved a " + ' reaction from "' * cues,
    "a head": lambda cues: "00:01:01\tA:\tx\n00:00:01\t" + "  \t" * 20 * cues + "x",
    "otter": lambda cues: f"Ann Lee  0:01\n{LINE}\n\n" * cues + " " * cues + "x",
    "fathom": lambda cues: "VIEW RECORDING\n0:01 - A\nx\n0:00 - x" + " " * cues + "x",
    "meet": lambda cues: "T - Transcript\nAttendees\nA\n00:00:00\n" + "A: x\n" * cues,
    "timed": lambda cues: f"[00:01] Ann Lee: {LINE}\n" * cues,
    "json": lambda cues: json.dumps(
        {"segments": [{"start": 1, "end": 2, "text": LINE}] * cues}
    ),
    "words": lambda cues: json.dumps(
        {"utterances": None, "text": "", "words": [{"text": "a", "start": 1}] * cues}
    ),
}


@pytest.mark.parametrize(
    ("name", "cues"),
    [("vtt", 100_000), ("json", 30_000), *((name, 10_000) for name in LONG)],
)
@pytest.mark.no_cover
def test_time_grows_with_the_length_only(name, cues):
    content = LONG[name](cues).encode()
    began = time.process_time()

    parse(content, media_type=None, source="meeting")

    assert time.process_time() - began < cues / 5_000


@pytest.mark.parametrize("texts", [["x"] * 4, ["x", "x" * 10]])
def test_a_transcript_over_the_caps_is_cut_and_reported(monkeypatch, texts):
    monkeypatch.setattr(json_forms, "MAX_LINES", 3)
    monkeypatch.setattr(json_forms, "MAX_CHARACTERS", 10)
    segments = [{"start": 1, "text": text} for text in texts]

    document = parse(
        json.dumps({"segments": segments}).encode(), media_type=None, source=None
    )

    assert [notice.code for notice in document.warnings] == ["text_cut"]
    assert document.parts
