"""WebVTT and SubRip become turns."""

import pytest

from flaskllm.core.errors import InvalidInputError
from flaskllm.inputs.text import read_lines
from flaskllm.inputs.transcripts.srt import parse_srt
from flaskllm.inputs.transcripts.vtt import parse_vtt


def vtt(text, head="WEBVTT\n\n"):
    return parse_vtt(read_lines(head + text), field_name="body")


def srt(text):
    return parse_srt(read_lines(text), field_name="body")


def turns(document):
    return [(part.speaker, part.text) for part in document.parts]


def codes(document):
    return [notice.code for notice in document.warnings]


def cue(text, start=1, end=2):
    return f"00:00:{start:02}.000 --> 00:00:{end:02}.000\n{text}\n\n"


def test_a_turn_has_its_speaker_its_times_and_its_place():
    text = "1\n01:00:01.500 --> 01:00:02.250 align:start\n<v Ann Lee>Hello</v>\n"

    (part,) = vtt(text).parts

    assert (part.id, part.kind, part.speaker, part.text) == (
        "t1",
        "turn",
        "Ann Lee",
        "Hello",
    )
    assert (part.start_ms, part.end_ms) == (3_601_500, 3_602_250)
    assert ("WEBVTT\n\n" + text)[part.origin.start : part.origin.end] == (
        "<v Ann Lee>Hello</v>"
    )


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_every_line_end_is_read(line_end):
    text = cue("<v A>one", 1, 2) + cue("<v B>two", 3, 4)

    assert turns(vtt(text.replace("\n", line_end))) == [("A", "one"), ("B", "two")]


@pytest.mark.parametrize(
    ("payload", "spoken"),
    [
        ("<v Ann>Hi", [("Ann", "Hi")]),
        ("<v.loud.x Ann Lee>Hi</v>", [("Ann Lee", "Hi")]),
        ("<v Lee, Ann>Hi</v>", [("Lee, Ann", "Hi")]),
        ("<v A &amp; B>Hi</v>", [("A & B", "Hi")]),
        ("<v Ann>Hi</v>\n<v Bob>Ho</v>\n<i>Laughs</i>", [
            ("Ann", "Hi"),
            ("Bob", "Ho"),
            (None, "Laughs"),
        ]),
        ("<v>Hi</v>", [(None, "Hi")]),
        ("<c.yellow>a</c> <b>b</b> <00:00:01.200>c", [(None, "a b c")]),
        ("a &amp;lt; b &lt; c", [(None, "a &lt; b < c")]),
        ("a < b > c <d", [(None, "a < b > c <d")]),
        ("see --> there", [(None, "see --> there")]),
        ("two\nlines", [(None, "two lines")]),
        ("a\u200bb", [(None, "ab")]),
    ],
)  # fmt: skip
def test_voices_tags_and_entities_are_resolved_once(payload, spoken):
    assert turns(vtt(cue(payload))) == spoken


def test_a_subrip_cue_without_a_name_takes_nobody_elses():
    said = ("Dana: I will order 3 laptops", "Sam: Yusuf has to check", "No name here.")
    text = "".join(f"{at}\n{cue(line, at, at + 1)}" for at, line in enumerate(said, 1))

    assert turns(srt(text)) == [
        ("Dana", "I will order 3 laptops"),
        ("Sam", "Yusuf has to check No name here."),
    ]


def test_notes_styles_regions_and_the_head_are_no_text():
    text = (
        "NOTE a remark\nover two lines\n\nSTYLE\n::cue {color: red}\n\n"
        "REGION\nid:x\n\n" + cue("said") + "NOTE the end\n"
    )

    assert turns(vtt(text, "WEBVTT - title\nKind: captions\n\n")) == [(None, "said")]


def test_a_cue_may_follow_without_an_empty_line():
    text = cue("one").rstrip("\n") + "\n2\n" + cue("two", 9, 10)

    assert turns(vtt(text)) == [(None, "one"), (None, "two")]


def test_an_identifier_may_be_a_guid_or_any_line_of_its_own():
    guid = "3f1c7d52-9a44-4c0e-8b0f-1d2e6a9c77aa/11-0"
    text = f"intro\n{cue('one')}" + cue("two", 5, 6).rstrip() + f"\n{guid}\n"

    assert turns(vtt(text + cue("three", 9, 10))) == [
        (None, "one"),
        (None, "two"),
        (None, "three"),
    ]


def test_text_without_a_time_is_kept_and_reported():
    document = vtt(cue("one") + "a piece without a time\n\n" + cue("two", 2, 3))

    assert [part.start_ms for part in document.parts] == [1000, None, 2000]
    assert codes(document) == ["cue_without_time"]


def test_a_missing_time_line_leaves_no_number_in_the_text():
    document = srt(
        "1\n00:00:00,500 --> 00:00:01,000\none\n\n2\ntwo\n\n"
        "3\n00:00:09,000 --> 00:00:10,000\nthree"
    )

    assert [part.text for part in document.parts] == ["one", "two", "three"]


def test_a_number_alone_is_text():
    assert turns(srt(cue("one") + "42\n")) == [(None, "one"), (None, "42")]


def test_font_tags_and_positions_of_srt_are_removed():
    assert turns(srt(cue('{\\an8}<font color="red">Hi</font>'))) == [(None, "Hi")]


def test_an_end_before_the_start_is_the_start():
    assert vtt(cue("x", 9, 3)).parts[0].end_ms == 9000


@pytest.mark.parametrize(
    "text", ["", "only words", cue(""), cue("<v Ann></v>"), "NOTE\nx\n"]
)
@pytest.mark.parametrize("parse", [vtt, srt], ids=["vtt", "srt"])
def test_a_transcript_without_a_cue_is_refused_with_the_mend(parse, text):
    with pytest.raises(InvalidInputError) as caught:
        parse(text)

    assert caught.value.fields[0].path == "body"
    assert "-->" in caught.value.fields[0].allowed


def test_speakers_are_participants_in_the_order_of_their_appearance():
    document = vtt(cue("<v B>x", 1, 2) + cue("<v A>y", 3, 4) + cue("<v B>z", 5, 6))

    assert [(person.name, person.role) for person in document.participants] == [
        ("B", "speaker"),
        ("A", "speaker"),
    ]
    assert document.kind == "meeting"


def test_removed_characters_are_reported():
    assert codes(vtt(cue("a\u200bb"))) == ["invisible_characters_removed"]


METADATA = (
    '{"startDateTime":"2026-05-04T10:00:01Z","speakerName":"Lee, Ann",'
    '"spokenText":"a &amp; \\u200bb","spokenLanguage":"en-us"}'
)
GUID = "3f1c7d52-9a44-4c0e-8b0f-1d2e6a9c77aa/11-0"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (f"1\n{cue('Ann Lee: hi')}2\n{cue('Bob Ray: ho', 3, 4)}", "zoom_vtt"),
        (f"1\n{cue('just words')}", "webvtt"),
        (f"1\n{cue('<v Ann>hi')}", "webvtt"),
        (cue("Ann Lee: hi"), "webvtt"),
        (f"{GUID}\n{cue('<v Ann>hi</v>')}", "teams_vtt"),
        (cue(METADATA), "teams_json"),
    ],
)
def test_the_form_tells_who_wrote_the_file(text, form):
    assert vtt(text).form == form


def test_metadata_of_teams_in_the_cues_is_read_as_json():
    broken = cue("{" + METADATA, 7, 8) + cue('{"spokenText": 7}', 8, 9)

    document = vtt(cue(METADATA) + broken)

    assert turns(document) == [("Lee, Ann", "a &amp; b")]
    assert (document.parts[0].start_ms, document.parts[0].end_ms) == (1000, 2000)


def test_a_region_with_settings_in_the_head_is_no_text():
    head = "WEBVTT\n\nREGION\nid:fred\nwidth:40%\n\n"

    assert turns(vtt(cue("<v.x Fred>Hi</v>"), head)) == [("Fred", "Hi")]
