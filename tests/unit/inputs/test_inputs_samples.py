"""Real and planted samples, read in place."""

import json
import os
from pathlib import Path

import pytest

from flaskllm.core.errors import UnsupportedMediaType
from flaskllm.inputs import parse

FOLDER = os.environ.get("FLASKLLM_TEST_SAMPLES", "")
MEDIA_TYPES = {
    ".eml": "message/rfc822",
    ".vtt": "text/vtt",
    ".srt": "application/x-subrip",
    ".txt": "text/plain",
    ".json": "application/json",
    ".ics": "text/calendar",
}
FORMS = {
    "asr-assemblyai.json": "assemblyai",
    "derived-ES2006a.teams.vtt": "teams_vtt",
    "derived-ES2011a.fireflies.json": "fireflies",
    "derived-IS1006a.otter.txt": "otter",
    "derived-TS3004a.gmeet.txt": "google_meet",
    "derived-TS3010a.zoom.vtt": "zoom_vtt",
    "derived-TS3011a.srt": "srt",
    "planted-launch-review.zoom.vtt": "zoom_vtt",
    "planted-standup-de.teams.vtt": "teams_vtt",
    "renewal-call-teams.vtt": "webvtt",
    "rolling-captions.vtt": "webvtt",
    "tiny-zoom.vtt": "zoom_vtt",
    "vj-spec-example.vtt": "webvtt",
    "vj-two-voices-in-a-cue.vtt": "webvtt",
    "wv-bom.vtt": "webvtt",
    "wv-missing-timeframe.srt": "srt",
    "zoom-chat-tabs.txt": "zoom_chat",
}
TRANSCRIPTS = ("transcripts/*.vtt", "transcripts/*.srt")
PATTERNS = ("email/*.eml", "email/injection/*.eml", *TRANSCRIPTS)
REPLIES = (
    "body-reply-de-outlook.txt",
    "body-reply-ja.txt",
    "body-pathological-long-lines.txt",
)
HIDDEN = {
    "inject-hidden-css.eml": "CANARY-DEV-201",
    "inject-html-comment-and-alt.eml": "CANARY-DEV-202",
}
OLD_SENTENCES = (
    "delivery on 17 June with 14 pallets is fine for us",
    "Please print the customs papers twice.",
    "we can deliver 14 pallets on 17 June",
)

pytestmark = pytest.mark.usefixtures("samples")


def found(*patterns):
    paths = [
        path
        for pattern in patterns
        for path in sorted(Path(FOLDER).glob(pattern))
        if path.is_file()
    ]
    cases = [pytest.param(path, id=path.name) for path in paths if FOLDER]
    return cases or [None]


def read(path):
    return parse(path.read_bytes(), media_type=MEDIA_TYPES[path.suffix], source=None)


def folded(text):
    return " ".join(text.split())


def holding(document, quote):
    return [part for part in document.parts if folded(quote) in folded(part.text)]


@pytest.mark.parametrize("path", found(*PATTERNS))
def test_every_sample_becomes_a_document(path):
    document = read(path)

    assert document.parts
    assert all(part.text for part in document.parts)


@pytest.mark.parametrize("path", found("transcripts/*.*", "email/**/*.*"))
@pytest.mark.parametrize("is_declared", [True, False])
def test_every_file_is_read_or_refused_in_words(path, is_declared):
    media_type = MEDIA_TYPES.get(path.suffix, "application/octet-stream")
    try:
        document = parse(
            path.read_bytes(),
            media_type=media_type if is_declared else None,
            source=None,
            file_name=path.name if is_declared else None,
        )
    except UnsupportedMediaType:
        assert path.suffix in {".json", ".msg", ".html"}
        return

    assert document.parts
    assert document.form == FORMS.get(path.name, document.form)
    assert (path.name in FORMS) == (document.kind in ("meeting", "chat"))


@pytest.mark.parametrize("path", found(*TRANSCRIPTS))
def test_a_transcript_is_known_by_its_content(path):
    content = path.read_bytes()

    assert parse(content, media_type=None, source=None).parts == read(path).parts


@pytest.mark.parametrize(("name", "canary"), HIDDEN.items())
def test_hidden_instructions_are_gone_and_reported(samples, name, canary):
    document = read(samples / "email" / "injection" / name)

    assert canary not in document.text()
    assert "hidden_text_removed" in [notice.code for notice in document.warnings]


@pytest.mark.parametrize("folder", ["email", "transcripts"])
def test_every_planted_quote_stands_in_new_text_of_one_part(samples, folder):
    expected = json.loads((samples / folder / "planted-expected.json").read_text())

    for name, facts in expected.items():
        document = read(samples / folder / name)
        for kind in ("action_items", "decisions", "risks"):
            for fact in facts.get(kind, []):
                kinds = {part.kind for part in holding(document, fact["quote"])}
                assert kinds & {"body", "turn"}, (name, fact["quote"])


@pytest.mark.parametrize("sentence", OLD_SENTENCES)
def test_what_an_earlier_mail_said_is_quoted(samples, sentence):
    document = read(samples / "email" / "planted-topposted-correction.eml")

    assert {part.kind for part in holding(document, sentence)} == {"quoted"}


@pytest.mark.parametrize(
    ("name", "participants"),
    [
        ("planted-launch-review.zoom.vtt", [
            "Maria Lopez", "Dev Patel", "Sam O'Neill", "Sam Oduya",
        ]),
        ("planted-standup-de.teams.vtt", [
            "Katrin Vogel", "Jonas Meißner", "Aylin Demir",
        ]),
        ("rolling-captions.vtt", []),
        ("tiny-zoom.vtt", ["Priya Raman", "Tom Ableton"]),
    ],
)  # fmt: skip
def test_the_speakers_of_a_sample_are_its_participants(samples, name, participants):
    document = read(samples / "transcripts" / name)

    assert [person.name for person in document.participants] == participants


def test_a_chat_sample_keeps_what_everybody_could_read(samples):
    document = read(samples / "transcripts" / "zoom-chat-tabs.txt")

    assert "don't worry about it" not in document.text()
    assert "wiki.example" in document.text()
    assert "Reacted" not in document.text()
    assert [part.speaker for part in document.parts][-2:] == [
        "Guest 4471",
        "Maria Lopez",
    ]


def test_answers_between_quoted_lines_of_a_sample_are_new(samples):
    text = (samples / "email" / "body-inline-answers.txt").read_bytes()

    document = parse(text, media_type="text/plain", source="email")

    assert [part.text for part in document.parts if part.kind == "body"] == [
        "I think option A is great.",
        "Option B has some drawbacks.",
        "Option C is not suitable for our use case.",
    ]


@pytest.mark.parametrize("name", REPLIES)
def test_the_reply_samples_have_new_text_and_a_quote(samples, name):
    text = (samples / "email" / name).read_bytes()

    document = parse(text, media_type="text/plain", source="email")

    assert [part.kind for part in document.parts][:2] == ["body", "quoted"]
