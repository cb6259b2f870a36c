"""JSON and forms of everybody else, read through a mapping."""

import json
from base64 import b64encode
from datetime import UTC, datetime

import pytest
from sender_scene import SECRET, deliver, from_tool, terms

from flaskllm.inputs.senders import generic, paths
from flaskllm.inputs.senders.types import Item, SenderRefusedError

BASIC = {"username": "make", "password": "word"}


def read(body, mapping=None, **headers):
    return generic.read(from_tool(body, **headers), terms(mapping=mapping or {}))


def refused(body, mapping=None):
    with pytest.raises(SenderRefusedError) as caught:
        read(body, mapping)
    assert caught.value.why == "malformed"
    return caught.value.detail


def basic(pair):
    return f"Basic {b64encode(pair.encode()).decode()}"


@pytest.mark.parametrize(
    ("authorization", "known"),
    [
        (f"Bearer {SECRET}", terms()),
        (f"bearer  {SECRET}", terms(**BASIC)),
        (basic("make:word"), terms(**BASIC)),
        (basic("make:word"), terms(secret=None, **BASIC)),
    ],
)
def test_a_tool_proves_itself_by_the_secret_or_by_credentials(authorization, known):
    generic.prove(deliver({}, authorization=authorization), known)


@pytest.mark.parametrize(
    ("authorization", "known"),
    [
        ("", terms()),
        (SECRET, terms()),
        (f"Bearer {SECRET}x", terms()),
        ("Bearer", terms()),
        ("Bearer é", terms()),
        (f"Token {SECRET}", terms()),
        (basic(f"x:{SECRET}"), terms()),
        (basic("make:wrong"), terms(**BASIC)),
        (basic("make:"), terms(**BASIC)),
        ("Bearer ", terms(secret="")),
        ("Bearer None", terms(secret=None)),
        ("Bearer word", terms(secret=None, **BASIC)),
    ],
)
def test_everything_else_is_unproven(authorization, known):
    with pytest.raises(SenderRefusedError) as caught:
        generic.prove(deliver({}, authorization=authorization), known)

    assert caught.value.why == "unproven"


def test_a_mapping_says_where_everything_stands():
    body = {
        "event": {"id": 4711, "kind": "Meeting"},
        "call": {
            "title": "Launch\nreview",
            "at": "2026-01-01T10:00:00+01:00",
            "people": [{"name": "Ann"}, {"name": "Ben"}, {"name": ""}],
            "lines": ["Ann: Hi.", "Ben: Hi."],
            "to": "Team <TEAM@Example.com>; ann@example.com",
        },
        "locale": "de_DE",
    }
    mapping = {
        "content": "$.call.lines",
        "media_type": "$.none.such",
        "source": "$.event.kind",
        "event_id": "$.event.id",
        "subject": "$['call']['title']",
        "participants": "$.call.people[*].name",
        "reference_time": "$.call.at",
        "language": "$.locale",
        "recipients": "$.call.to",
    }

    assert read(body, mapping) == Item(
        content=b"Ann: Hi.\nBen: Hi.",
        media_type=None,
        source="meeting",
        event_key="4711",
        charset="utf-8",
        recipients=("team@example.com", "ann@example.com"),
        fields={
            "participants": ("Ann", "Ben"),
            "reference_time": datetime(2026, 1, 1, 9, tzinfo=UTC),
            "language": "de",
        },
        metadata={"subject": "Launch review"},
        warnings=("mapped_field_missing: media_type",),
    )


def test_without_a_mapping_the_fields_stand_at_the_top_under_their_own_names():
    item = read({"content": "Hi.", "participants": "Ann\nBen; Cid", "subject": ""})

    assert (item.content, item.source, item.event_key) == (b"Hi.", "other", "")
    assert item.fields == {"participants": ("Ann", "Ben", "Cid")}
    assert (item.metadata, item.warnings) == ({}, ())


@pytest.mark.parametrize(
    ("path", "content", "media_type"),
    [
        ("$.text", b"Hi.", None),
        ("$.number", b"17", None),
        ("$.truth", b"true", None),
        ("$.segments", b'[{"text":"Hi."}]', "application/json"),
        ("$.segments[*]", b'[{"text":"Hi."}]', "application/json"),
        ("$.segments[*].text", b"Hi.", None),
        ("$.segments[0]", b'{"text":"Hi."}', "application/json"),
        ("$.words[0:2]", b"a\nb", None),
        ("$.words[-1]", b"c", None),
        ("$.packed.segments[0].text", b"Hi.", None),
        ("$.packed", b'{"segments": [{"text": "Hi."}]}', None),
        ("$", None, "application/json"),
    ],
)
def test_content_may_be_text_or_any_json(path, content, media_type):
    body = {
        "text": "Hi.",
        "number": 17,
        "truth": True,
        "segments": [{"text": "Hi."}],
        "words": ["a", "b", "c"],
        "packed": json.dumps({"segments": [{"text": "Hi."}]}),
    }

    item = read(body, {"content": path})

    assert item.media_type == media_type
    if content is not None:
        assert item.content == content


def test_a_whole_document_that_came_as_one_string_is_opened_once():
    once = json.dumps({"content": "Hi."})

    assert read(json.dumps(once).encode()).content == b"Hi."
    assert "content" in refused(json.dumps(json.dumps(once)).encode())


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"content=Hi.&subject=&event_id=e1"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="content"\r\n\r\nHi.\r\n'
            b'--x\r\nContent-Disposition: form-data; name="event_id"\r\n\r\ne1\r\n'
            b"--x--\r\n",
        ),
    ],
)
def test_a_form_counts_as_a_flat_object(content_type, body):
    item = read(body, content_type=content_type)

    assert (item.content, item.event_key) == (b"Hi.", "e1")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"content": ""},
        {"content": " \n"},
        {"content": None},
        {"content": []},
        {"content": {}},
        [],
        "content",
        7,
        None,
        {"content": ["", None]},
    ],
)
def test_a_mapping_that_finds_no_document_is_refused_by_name(body):
    assert refused(body).startswith("mapping.content: finds nothing")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("source", "telegram"),
        ("language", "klingon"),
        ("reference_time", "tomorrow"),
        ("reference_time", "2026-01-01T10:00:00"),
        ("reference_time", "9" * 250),
        ("subject", {"a": 1}),
        ("event_id", {"a": 1}),
        ("participants", [{"name": "Ann"}]),
    ],
)
def test_a_field_that_cannot_be_read_is_refused_by_name_without_its_value(field, value):
    detail = refused({"content": "Hi.", field: value})

    assert detail.startswith(f"mapping.{field}: ")
    assert str(value) not in detail


def test_an_event_with_a_long_name_keeps_one_of_its_own():
    long = [read({"content": "Hi.", "event_id": "e" * 500 + last}) for last in "ab"]

    assert long[0].event_key != long[1].event_key
    assert {len(each.event_key) for each in long} == {64}


def test_one_value_in_a_list_counts_as_that_value():
    body = {"content": "Hi.", "ids": ["e1"], "titles": ["Weekly"]}
    mapping = {"content": "$.content", "event_id": "$.ids", "subject": "$.titles[*]"}

    item = read(body, mapping)

    assert (item.event_key, item.metadata) == ("e1", {"subject": "Weekly"})


@pytest.mark.parametrize("seconds", [1767258000, "1767258000", 1767258000000])
def test_seconds_and_milliseconds_are_moments_too(seconds):
    item = read({"content": "Hi.", "reference_time": seconds})

    assert item.fields["reference_time"] == datetime(2026, 1, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<>",
        b"\xff",
        b'{"content": "\\ud800"}',
        b"[" * 100 + b"]" * 100,
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_json_within_bounds_is_refused(body):
    assert refused(body).startswith("The body is")


@pytest.mark.parametrize(
    "path",
    [
        "content",
        "",
        "$.",
        "$..content",
        "$[?@.a == 1]",
        "$[?match(@.a, '(a+)+$')]",
        "$['a', 'b']",
        "$.a | $.b",
        "$.a.~",
        "$[" * 5_000,
        "$" + ".a" * 21,
        "$." + "a" * 400,
        "$[99999999999999999999]",
        7,
        None,
        ["$.a"],
    ],
)
def test_a_path_that_could_cost_more_than_the_document_is_refused(path):
    problems = generic.check_mapping({"content": path})

    assert len(problems) == 1
    assert problems[0].startswith("content: ")


def test_the_problems_of_a_mapping_name_the_field():
    assert generic.check_mapping({}) == []
    assert generic.check_mapping({"content": "$.a[0]['b'][1:2][*]"}) == []
    missing, wrong = generic.check_mapping({"subject": "$..a"})
    assert missing.startswith("content: ")
    assert wrong.startswith("subject: ")
    unknown = generic.check_mapping({"content": "$.a", "conten": "$.a"})
    assert unknown[0].startswith("conten: is unknown; allowed: content, ")


def test_a_bad_path_refuses_a_delivery_too():
    assert "mapping.content" in refused({"a": 1}, {"content": "$..a"})


def test_wildcards_find_no_more_than_a_bounded_number(monkeypatch):
    monkeypatch.setattr(paths, "MOST_VALUES", 3)

    assert "more than 3" in refused({"a": [1, 2, 3, 4]}, {"content": "$.a[*]"})


def test_the_mapping_may_say_itself_what_all_documents_are():
    mapping = {"content": "$.a", "source": "meeting"}

    item = read({"a": "Ben: Hi.", "source": "email"}, mapping)

    assert (item.source, item.warnings) == ("meeting", ())
    assert generic.check_mapping(mapping) == []
    assert generic.check_mapping({"content": "meeting"}) != []


def test_a_word_that_no_document_is_is_told_which_are():
    (problem,) = generic.check_mapping({"content": "$.a", "source": "meetings"})

    assert problem == (
        "source: is no JSON path, and no word that is known; allowed: email, meeting, "
        "document, chat, other, or a path such as $.meeting.kind"
    )
