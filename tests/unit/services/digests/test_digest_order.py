"""An order becomes a document, a ground and a filled template, or names a field."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from digest_fakes import REFERENCE, call, ground

from flaskllm.core.errors import InvalidInputError, UnsupportedMediaType
from flaskllm.llm.cached import CacheWish
from flaskllm.llm.prompts import Library, load_library, parse_template
from flaskllm.services.digests.order import (
    choose_template,
    fill_prose_variables,
    fill_variables,
    heeding,
    read_ground,
)
from flaskllm.services.digests.types import DigestOrder

LIBRARY = load_library()
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
MAIL = (
    b"From: Ada <ada@example.com>\nDate: Mon, 05 Oct 2026 09:00:00 +0200\n\nHello Ben."
)
TEXT = b"Guten Tag, die Rechnung ist noch offen und muss bezahlt werden."
HOUSE = """---
name: house
version: 1
type: summary
purpose: Our own.
response_schema: facts
tokens_kept_free: 100
variables:
  tone: {limit_characters: 5, required: true, description: How it sounds.}
---
# System
Be {{tone}}.
# User
{{source}}
"""


def order(**wanted):
    return DigestOrder(**{"content": TEXT, **wanted})


def field_of(caught):
    (field,) = caught.value.fields
    return field.path


class TestGround:
    def test_the_answer_is_in_the_language_asked_for_else_in_the_sources(self):
        assert read_ground(order(language="fr"), NOW).language == "fr"
        found = read_ground(order(), NOW)
        assert (found.language, found.source_language) == ("de", "de")

    def test_a_source_too_short_to_tell_is_answered_in_english(self):
        found = read_ground(order(content=b"ok"), NOW)

        assert (found.language, found.source_language) == ("en", None)

    @pytest.mark.parametrize(
        ("wanted", "reference"),
        [
            ({}, NOW),
            ({"content": MAIL, "media_type": "message/rfc822"}, REFERENCE),
            ({"content": MAIL, "reference_time": NOW}, NOW),
        ],
        ids=["arrival", "the mail's date", "the caller's"],
    )
    def test_the_reference_is_the_callers_else_the_mails_else_the_arrival(
        self, wanted, reference
    ):
        found = read_ground(order(**wanted), NOW).reference

        assert found == reference
        assert found.utcoffset() == reference.utcoffset()

    def test_days_are_counted_in_the_timezone_asked_for(self):
        late = datetime(2026, 10, 5, 23, 30, tzinfo=UTC)

        found = read_ground(order(reference_time=late, timezone="Europe/Berlin"), NOW)

        assert found.reference.isoformat() == "2026-10-06T01:30:00+02:00"

    @pytest.mark.parametrize(
        ("moment", "zone"),
        [
            (datetime.max.replace(tzinfo=UTC), "Asia/Tokyo"),
            (datetime.min.replace(tzinfo=timezone(timedelta(hours=9))), "UTC"),
        ],
    )
    def test_a_time_beyond_the_calendar_is_refused_naming_the_field(self, moment, zone):
        with pytest.raises(InvalidInputError) as caught:
            read_ground(order(reference_time=moment, timezone=zone), NOW)

        assert field_of(caught) == "reference_time"

    def test_participants_are_added_once(self):
        wanted = order(content=MAIL, source="email", participants=("ADA", "Ben Ito"))

        people = read_ground(wanted, NOW).document.participants

        assert [(person.name, person.role) for person in people] == [
            ("Ada", "from"),
            ("Ben Ito", "participant"),
        ]

    @pytest.mark.parametrize(
        ("wanted", "error"),
        [
            ({"content": b" "}, InvalidInputError),
            ({"media_type": "image/png"}, UnsupportedMediaType),
        ],
    )
    def test_what_cannot_be_read_is_refused(self, wanted, error):
        with pytest.raises(error):
            read_ground(order(**wanted), NOW)


class TestTemplate:
    def test_the_template_is_the_one_named_else_that_of_the_type(self):
        house = Library({**LIBRARY.templates, "house": parse_template(HOUSE, "h.md")})

        assert choose_template(order(), house).front.name == "summary"
        assert choose_template(order(template="house"), house).front.name == "house"

    @pytest.mark.parametrize("name", ["keywords", "repair", "summary_prose", "nothing"])
    def test_a_template_of_another_type_or_none_is_refused_with_what_there_is(
        self, name
    ):
        with pytest.raises(InvalidInputError) as caught:
            choose_template(order(template=name), LIBRARY)

        assert field_of(caught) == "template"
        assert "summary" in caught.value.fields[0].allowed


class TestVariables:
    GROUND = ground("Hello")

    def fill(self, kind="summary", **variables):
        wanted = order(type=kind, variables=variables)
        return fill_variables(wanted, LIBRARY.get(kind), self.GROUND)

    def test_the_gateway_adds_what_the_template_knows_of_its_own(self):
        assert self.fill() == {
            "language": "en",
            "reference_time": "2026-10-05T09:00:00+02:00",
        }
        assert self.fill("translation") == {"language": "en"}

    @pytest.mark.parametrize(
        ("value", "text"), [("be brief", "be brief"), (5, "5"), (1.5, "1.5")]
    )
    def test_the_callers_are_text_or_numbers(self, value, text):
        assert self.fill(instructions=value)["instructions"] == text

    def test_labels_and_schemas_are_written_out(self):
        assert self.fill("classification", labels=["a", "b"])["labels"] == "a; b"
        assert self.fill("classification", labels="a,b")["labels"] == "a,b"
        assert self.fill("custom", schema={"type": "ü"})["schema"] == '{"type": "ü"}'

    @pytest.mark.parametrize("name", ["language", "reference_time", "problems"])
    def test_one_that_the_gateway_sets_is_refused_naming_the_field(self, name):
        with pytest.raises(InvalidInputError) as caught:
            self.fill(**{name: "x"})

        assert field_of(caught) == f"variables.{name}"
        assert "set by the gateway" in caught.value.details

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("instructions", None),
            ("instructions", ["a"]),
            ("instructions", {"a": 1}),
            ("labels", {"a": 1}),
            ("schema", ["a"]),
        ],
    )
    def test_one_that_is_no_text_is_refused_naming_the_field(self, name, value):
        with pytest.raises(InvalidInputError) as caught:
            self.fill(**{name: value})

        assert field_of(caught) == f"variables.{name}"

    @pytest.mark.parametrize(
        ("kind", "variables", "field", "told"),
        [
            ("summary", {"tone": "x"}, "tone", "is unknown"),
            ("summary", {"labels": ["a", "b"]}, "labels", "is unknown"),
            ("summary", {"source": "x"}, "source", "is unknown"),
            (
                "summary",
                {"instructions": "x" * 2_001},
                "instructions",
                "2001 characters",
            ),
            ("classification", {}, "labels", "is missing"),
        ],
    )
    def test_one_that_the_template_does_not_take_is_refused_naming_the_field(
        self, kind, variables, field, told
    ):
        values = self.fill(kind, **variables)

        with pytest.raises(InvalidInputError) as caught:
            LIBRARY.get(kind).render(values, "source")

        assert field_of(caught) == f"variables.{field}"
        assert told in caught.value.details

    def test_prose_is_told_what_its_template_knows(self):
        wanted = order(variables={"instructions": "be brief", "tone": "dry"})

        filled = fill_prose_variables(wanted, LIBRARY.get("summary_prose"), self.GROUND)

        assert filled == {"language": "en", "instructions": "be brief"}

    def test_a_prose_template_that_takes_nothing_is_told_nothing(self):
        template = LIBRARY.get("summary_prose")
        bare = replace(
            template, front=template.front.model_copy(update={"variables": {}})
        )

        wanted = order(variables={"instructions": "be brief"})

        assert fill_prose_variables(wanted, bare, self.GROUND) == {}


@pytest.mark.parametrize(
    ("wanted", "wish"),
    [
        ({}, CacheWish()),
        ({"fresh": True}, CacheWish(reads=False)),
        ({"cache": False}, CacheWish(reads=False, stores=False)),
        ({"sensitive": True}, CacheWish(is_sensitive=True)),
    ],
)
def test_a_call_heeds_what_the_order_says_of_the_cache(wanted, wish):
    assert heeding(order(**wanted), call()).cache == wish
