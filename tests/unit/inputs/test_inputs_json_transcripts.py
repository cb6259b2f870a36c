"""Transcripts as JSON, in the shapes of the tools that hand them out."""

import json

import pytest

from flaskllm.core.errors import InvalidInputError, UnsupportedMediaType
from flaskllm.inputs import parse
from flaskllm.inputs.media_types import JSON

SENTENCES = [
    {"speaker_name": "Ann", "text": "Hi.", "raw_text": "hi", "start_time": 1.5,
     "end_time": 2},
    {"speaker_name": None, "speaker_id": 3, "text": "Ho.", "start_time": "4",
     "end_time": None},
]  # fmt: skip
FIREFLIES = [("Ann", "Hi.", 1500, 2000), ("Speaker 3", "Ho.", 4000, None)]
WORDS = [
    {"word": "hi", "punctuated_word": "Hi", "start": 0.5, "end": 0.9, "speaker": 0},
    {"word": "all", "punctuated_word": "all.", "start": 1, "end": 1.2, "speaker": 0},
    {"word": "ho", "punctuated_word": "Ho", "start": 1.3, "end": 1.5, "speaker": 1},
    {"word": "then", "punctuated_word": "then", "start": 9, "end": 9.5, "speaker": 1},
]
DEEPGRAM = [
    ("Speaker 0", "Hi all.", 500, 1200),
    ("Speaker 1", "Ho", 1300, 1500),
    ("Speaker 1", "then", 9000, 9500),
]
AWS_ITEMS = [
    {"type": "pronunciation", "start_time": "0.5", "end_time": "0.9",
     "alternatives": [{"content": "Hi"}]},
    {"type": "punctuation", "alternatives": [{"content": "."}]},
    {"type": "pronunciation", "start_time": "1.0", "end_time": "1.4",
     "alternatives": [{"content": "Ho"}], "speaker_label": "spk_1"},
]  # fmt: skip
AWS_LABELS = {
    "segments": [{"items": [{"start_time": "0.5", "speaker_label": "spk_0"}]}]
}
AWS = [("spk_0", "Hi.", 500, 900), ("spk_1", "Ho", 1000, 1400)]
ENTRY = {"participant": "conferenceRecords/c/participants/7", "text": "Hi.",
         "startTime": "2026-05-04T10:00:01.500000000Z",
         "endTime": "2026-05-04T10:00:02Z"}  # fmt: skip
SEGMENT = {"start": 0.5, "end": 1, "text": " Hi."}
SHAPES = [
    ("fireflies", {"data": {"transcript": {"sentences": SENTENCES}}}, FIREFLIES),
    ("fireflies", {"sentences": SENTENCES}, FIREFLIES),
    ("fireflies",
     [{"sentence": "Hi.", "startTime": 1, "endTime": 2, "speaker_name": "Ann"}] * 1,
     [("Ann", "Hi.", 1000, 2000)]),
    ("fathom",
     {"transcript": [{"speaker": {"display_name": "Ann"}, "text": "Hi.",
                      "timestamp": "01:00:05"}]},
     [("Ann", "Hi.", 3_605_000, None)]),
    ("read_ai",
     {"transcript": {"speaker_blocks": [
         {"start_time": 1738751962, "end_time": 1738751963, "words": "Hi.",
          "speaker": {"name": "Ann"}},
         {"start_time": "1738751970000", "words": "Ho.", "speaker": None}]}},
     [("Ann", "Hi.", 0, 1000), (None, "Ho.", 8000, None)]),
    ("google_meet_entries", {"transcriptEntries": [ENTRY]},
     [("Participant 1", "Hi.", 0, 500)]),
    ("google_meet_entries", [ENTRY], [("Participant 1", "Hi.", 0, 500)]),
    ("teams_json",
     [{"startDateTime": "2026-05-04T10:00:01Z", "endDateTime": "2026-05-04T10:00:03Z",
       "speakerName": "Lee, Ann", "spokenText": "Hi.", "spokenLanguage": "en-us"}],
     [("Lee, Ann", "Hi.", 0, 2000)]),
    ("teams_json",
     {"entries": [{"text": "Hi.", "speakerDisplayName": "Ann",
                   "startOffset": "00:00:01.5000000", "endOffset": "00:00:02"}]},
     [("Ann", "Hi.", 1500, 2000)]),
    ("tldv",
     {"event": "TranscriptReady", "data": {"meetingId": "m", "data": [
         {"speaker": "Ann", "startTime": 1, "endTime": 2, "text": "Hi."}]}},
     [("Ann", "Hi.", 1000, 2000)]),
    ("vexa",
     {"segments": [{"start_time": 0.5, "end_time": 1, "text": "Hi.",
                    "speaker": "Ann", "language": "en"}]},
     [("Ann", "Hi.", 500, 1000)]),
    ("whisper", {"text": "Hi.", "segments": [SEGMENT]}, [(None, "Hi.", 500, 1000)]),
    ("whisper", {"segments": [{**SEGMENT, "speaker": "SPEAKER_00"}]},
     [("SPEAKER_00", "Hi.", 500, 1000)]),
    ("whisper",
     {"transcription": [{"offsets": {"from": 500, "to": 900}, "text": " Hi."}]},
     [(None, "Hi.", 500, 900)]),
    ("assemblyai",
     {"utterances": [{"start": 2100, "end": 5400, "text": "Hi.", "speaker": "A"}]},
     [("Speaker A", "Hi.", 2100, 5400)]),
    ("assemblyai",
     {"text": "Hi.", "utterances": None,
      "words": [{"text": "Hi.", "start": 2, "end": 5, "speaker": None}]},
     [(None, "Hi.", 2, 5)]),
    ("assemblyai", {"text": "Hi.", "utterances": None, "words": []},
     [(None, "Hi.", None, None)]),
    ("deepgram",
     {"results": {"channels": [], "utterances": [
         {"start": 0.5, "end": 1, "transcript": "Hi.", "speaker": 0}]}},
     [("Speaker 0", "Hi.", 500, 1000)]),
    ("deepgram", {"results": {"channels": [{"alternatives": [{"words": WORDS}]}]}},
     DEEPGRAM),
    ("deepgram",
     {"results": {"channels": [{"alternatives": [{"paragraphs": {"paragraphs": [
         {"speaker": 1, "sentences": [{"text": "Hi.", "start": 1, "end": 2}]}]}}]}]}},
     [("Speaker 1", "Hi.", 1000, 2000)]),
    ("deepgram",
     {"results": {"channels": [{"alternatives": [{"transcript": "Hi."}]}]}},
     [(None, "Hi.", None, None)]),
    ("azure_speech",
     {"recognizedPhrases": [{"speaker": 1, "offsetInTicks": 700_000.0,
                             "durationInTicks": 10_000_000,
                             "nBest": [{"display": "Hi."}]}]},
     [("Speaker 1", "Hi.", 70, 1070)]),
    ("azure_speech",
     {"combinedPhrases": [], "phrases": [
         {"offsetMilliseconds": 40, "durationMilliseconds": 10, "text": "Hi."}]},
     [(None, "Hi.", 40, 50)]),
    ("azure_speech",
     {"RecognitionStatus": "Success", "Offset": 10_000, "Duration": 20_000,
      "NBest": [{"Display": "Hi."}]},
     [(None, "Hi.", 1, 3)]),
    ("aws_transcribe",
     {"results": {"transcripts": [], "items": AWS_ITEMS, "speaker_labels": AWS_LABELS}},
     AWS),
    ("aws_transcribe",
     {"results": {"transcripts": [], "items": [], "audio_segments": [
         {"start_time": "0.5", "end_time": "0.9", "transcript": "Hi.",
          "speaker_label": "spk_0"}]}},
     [("spk_0", "Hi.", 500, 900)]),
    ("aws_transcribe", {"results": {"transcripts": [{"transcript": "Hi."}],
                                    "items": []}},
     [(None, "Hi.", None, None)]),
]  # fmt: skip


def read(value, media_type=JSON, source=None):
    text = value if isinstance(value, str) else json.dumps(value)
    return parse(text.encode(), media_type=media_type, source=source)


def turns(document):
    return [(p.speaker, p.text, p.start_ms, p.end_ms) for p in document.parts]


def people(document):
    return [(each.name, each.email, each.role) for each in document.participants]


def codes(document):
    return [notice.code for notice in document.warnings]


@pytest.mark.parametrize(("form", "value", "expected"), SHAPES)
@pytest.mark.parametrize("media_type", [JSON, None, "text/plain"])
def test_a_shape_is_known_by_its_keys_whatever_it_is_called(
    media_type, form, value, expected
):
    document = read(value, media_type)

    assert (document.form, document.kind) == (form, "meeting")
    assert turns(document) == expected


def test_a_list_of_one_and_other_wrappers_are_looked_into():
    assert read([{"body": {"payload": {"sentences": SENTENCES}}}]).form == "fireflies"


def test_the_place_of_a_turn_encloses_its_strings_as_written():
    text = '{"segments": [{"start": 0, "end": 1, "text": "a \\u00e9\\"b"},' \
        '{"start": 1, "end": 2, "text": "c"}]}'  # fmt: skip

    (part,) = read(text).parts

    assert part.text == 'a é"b c'
    assert text[part.origin.start : part.origin.end].startswith('a \\u00e9\\"b"},')
    assert text[part.origin.end - 1] == "c"


def test_invisible_and_control_characters_are_removed_and_counted():
    document = read({"segments": [
        {"start": 0, "end": 1, "text": "a\u200bb\u202e\x00c\U000e0041\nd"},
        {"start": 1, "end": 2, "text": "\u200b"},
    ]})  # fmt: skip

    assert [part.text for part in document.parts] == ["ab c d"]
    assert codes(document) == ["invisible_characters_removed"]
    assert "4" in document.warnings[0].detail


def test_people_whom_the_file_names_take_part_with_their_addresses():
    document = read({
        "recording_start_time": "2026-05-04T10:00:00+02:00",
        "calendar_invitees": [
            {"name": "Ann", "email": "ANN@x.example"},
            {"name": "Zoe", "email": "None"},
            {"email": "bob@x.example"},
            "c@x.example",
            7,
        ],
        "transcript": [
            {"speaker": {"display_name": "Ann"}, "text": "Hi."},
            {"speaker": {"display_name": "Bob", "matched_calendar_invitee_email":
                         "bob@x.example"}, "text": "Ho."},
        ],
    })  # fmt: skip

    assert people(document) == [
        ("Ann", "ann@x.example", "speaker"),
        ("Bob", "bob@x.example", "speaker"),
        ("Zoe", None, "participant"),
        (None, "c@x.example", "participant"),
    ]
    assert document.sent_at.isoformat() == "2026-05-04T10:00:00+02:00"


def test_a_meet_participant_is_named_only_where_the_names_came_along():
    value = {"transcriptEntries": [ENTRY, {**ENTRY, "participant": "p/9"}]}
    named = {"name": ENTRY["participant"], "signedinUser": {"displayName": "Ann"}}

    document = read(value | {"participants": [named, {"name": "p/9"}]})

    assert [part.speaker for part in document.parts] == ["Ann", "Participant 1"]
    assert codes(document) == ["speakers_unnamed"]


def test_too_many_people_are_cut_and_reported():
    names = [f"Name {number}" for number in range(300)]
    document = read({"sentences": SENTENCES, "participants": names})

    assert len(document.participants) == 200
    assert codes(document) == ["participants_cut"]


@pytest.mark.parametrize(
    "broken",
    [None, True, -1, 1e300, 10**400, "x", "", [], {}, "1e999", "nan", "99:99:99:99"],
)
def test_what_is_no_time_is_none(broken):
    document = read({
        "sentences": [{**SENTENCES[0], "start_time": broken, "end_time": broken}],
        "dateString": broken,
    })  # fmt: skip
    since = read([{"spokenText": "Hi.", "startDateTime": broken}])

    assert document.parts[0].start_ms is None
    assert document.sent_at is None
    assert since.parts[0].start_ms is None


def test_an_end_before_the_start_is_the_start():
    (part,) = read({"segments": [{"start": 9, "end": 3, "text": "x"}]}).parts

    assert (part.start_ms, part.end_ms) == (9000, 9000)


@pytest.mark.parametrize(
    "value",
    [
        {"utterances": None, "text": "", "words": [
            {"text": None, "start": 0},
            {"text": "Hi.", "start": 0},
            {"text": "Ho", "start": None},
            {"text": "so", "start": 1},
        ]},
        {"results": {"transcripts": [], "items": [
            {"alternatives": [{"content": " "}]},
            {"alternatives": [{"content": "Hi."}], "start_time": 0},
            {"alternatives": [{"content": "Ho"}]},
            {"alternatives": [{"content": "so"}]},
        ]}},
    ],
)  # fmt: skip
def test_words_that_are_none_are_passed_over_and_a_sentence_ends_a_group(value):
    assert " ".join(part.text for part in read(value).parts) == "Hi. Ho so"


def test_a_live_result_says_its_text_itself():
    value = {"RecognitionStatus": "Success", "Offset": 0, "Duration": 10_000,
             "DisplayText": "Hi.", "NBest": [{"Display": "no"}]}  # fmt: skip

    assert turns(read(value)) == [(None, "Hi.", 0, 1)]


def test_what_is_wrapped_too_deeply_is_not_looked_for():
    value = {"sentences": SENTENCES}
    for _ in range(5):
        value = {"data": value}

    with pytest.raises(UnsupportedMediaType):
        read(value)


def test_words_without_a_sentence_end_are_cut():
    words = [{"word": "so", "start": at, "end": at + 1} for at in range(999)]
    document = read({"results": {"channels": [{"alternatives": [{"words": words}]}]}})

    assert len(document.parts) > 2
    assert " ".join(part.text for part in document.parts) == " ".join(["so"] * 999)


@pytest.mark.parametrize("source", [None, "meeting"])
@pytest.mark.parametrize(
    "value", [{"sentences": []}, {"segments": [{"start": 0, "text": " "}]}]
)
def test_a_known_shape_without_words_is_refused(value, source):
    with pytest.raises(InvalidInputError, match="not valid") as caught:
        read(value, None, source)

    assert "holds no text" in caught.value.fields[0].problem


@pytest.mark.parametrize(
    ("value", "media_type", "source"),
    [
        *((value, JSON, None) for value in ({}, [[]], 7, '"x"', None, [{"x": "y"}])),
        ({"a": [1]}, JSON, "other"),
        ({"a": [1]}, None, "meeting"),
        ([{"x": "y"}], "text/plain", "chat"),
    ],
)
def test_json_of_no_known_shape_is_refused_with_those_that_are(
    value, media_type, source
):
    with pytest.raises(UnsupportedMediaType) as caught:
        read(value, media_type, source)

    assert all(form in caught.value.details for form, _, _ in SHAPES)


@pytest.mark.parametrize("source", [None, "document", "email"])
def test_json_of_no_known_shape_in_a_prompt_is_text(source):
    document = read({"a": "b"}, None, source)

    assert (document.form, document.parts[0].text) == ("text", '{"a": "b"}')


@pytest.mark.parametrize(
    "text",
    ["{", "[NaN]", '{"a": Infinity}', "[1e999]", "[" * 65 + "]" * 65, "{}{}",
     "[" + "9" * 5000 + "]", '{"a": "\x01"}', "words", '["\\'],
)  # fmt: skip
def test_what_is_no_json_is_refused_where_it_was_announced_as_such(text):
    with pytest.raises(InvalidInputError) as caught:
        read(text)

    assert caught.value.fields[0].path == "body"
    assert "no JSON" in caught.value.fields[0].problem


def test_a_line_that_only_begins_like_json_is_text():
    assert read("[{soon}] Ann: hi\nBob: ho", None, "meeting").form == "text"
