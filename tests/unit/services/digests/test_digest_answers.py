"""Small slips of models are read; everything else is malformed, and nothing worse."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from flaskllm.llm.providers.strict_schema import tighten
from flaskllm.services.digests.answers import (
    ActionItemAnswer,
    ActionItemsAnswer,
    ClassificationAnswer,
    DateAnswer,
    EntitiesAnswer,
    EntityAnswer,
    FactsAnswer,
    KeywordsAnswer,
    Quoted,
    ReplyAnswer,
    SentimentAnswer,
    StatementAnswer,
    SummaryAnswer,
    SummaryText,
    TranslationAnswer,
)

TYPES = [
    ActionItemsAnswer,
    ClassificationAnswer,
    EntitiesAnswer,
    FactsAnswer,
    KeywordsAnswer,
    ReplyAnswer,
    SentimentAnswer,
    SummaryAnswer,
    TranslationAnswer,
]
NAMES = sorted(
    {
        name
        for each in (*TYPES, ActionItemAnswer, DateAnswer)
        for name in each.model_fields
    }
    | {"short", "bullets", "quote", "part", "turn", "kind", "other"}
)
WORDS = [
    "",
    "null",
    "Open",
    "2026-10-09",
    "2026-10-09T00:00:00",
    "friday",
    "High",
    "p1",
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(WORDS)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
@settings(max_examples=40)
@given(value=st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6))
def test_any_json_is_read_or_malformed_and_what_is_read_reads_the_same_again(
    kind, value
):
    try:
        answer = kind.model_validate(value)
    except ValidationError:
        return

    written = json.loads(json.dumps(answer.model_dump(mode="json")))
    assert kind.model_validate(written) == answer


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_every_answer_has_a_strict_schema(kind):
    assert tighten(kind.model_json_schema())


@pytest.mark.parametrize(
    "value",
    [
        {"text": "a", "evidence": {"quote": "q", "part": "p1"}},
        {"text": "a", "evidence": "q", "part": "p1"},
        {"text": "a", "quote": "q", "part": "p1"},
        {"text": "a", "quote": "q", "part": "p1", "evidence": None},
        {"text": "a", "evidence": [{"quote": "q", "part": "p1"}, {"quote": "r"}]},
        {"text": "a", "evidence": ["q", "r"], "part": "p1"},
        {"text": "a", "evidence": {"quote": "q", "part": "p1", "turn": None}},
        {"text": "a", "evidence": {"quote": "q", "part": "p1", "turn": "none"}},
    ],
    ids=["proper", "bare", "beside", "null", "list", "bare list", "no turn", "none"],
)
def test_evidence_is_read_in_every_form_that_models_give_it(value):
    assert StatementAnswer.model_validate(value).evidence == Quoted(
        quote="q", part="p1"
    )


@pytest.mark.parametrize("evidence", [None, [], {}, "", {"quote": None}])
def test_a_fact_without_evidence_is_read_and_claims_no_quote(evidence):
    read = StatementAnswer.model_validate({"text": "a", "evidence": evidence})

    assert read.evidence.quote == ""


def test_a_bare_sentence_is_its_own_quote():
    read = StatementAnswer.model_validate("We pay.")

    assert (read.text, read.evidence.quote) == ("We pay.", "We pay.")


@pytest.mark.parametrize(
    ("cited", "place"),
    [
        ({"part": "p1"}, "p1"),
        ({"turn": "t2"}, "t2"),
        ({"part": "[p1]"}, "p1"),
        ({"turn": 7}, "7"),
        ({"part": "p1", "turn": "t2"}, "t2"),
        ({"part": ""}, None),
        ({}, None),
    ],
)
def test_a_cited_place_is_read_as_it_stands_in_the_prompt(cited, place):
    assert Quoted.model_validate(cited).place == place


@pytest.mark.parametrize(
    "nobody", [None, "", " ", "null", "None", "unknown", "N/A", "-", "Unassigned"]
)
def test_an_owner_or_day_of_no_meaning_is_absent(nobody):
    read = ActionItemAnswer.model_validate(
        {"task": "a", "owner": nobody, "due": nobody, "due_text": nobody}
    )

    assert (read.owner, read.due, read.due_text) == (None, None, None)


@pytest.mark.parametrize(
    ("said", "due", "due_text"),
    [
        ({"due": "2026-10-09"}, "2026-10-09", None),
        ({"due": "2026-10-09T00:00:00"}, "2026-10-09", None),
        ({"due": "2026-10-09T17:30:00+02:00"}, "2026-10-09", None),
        ({"due": " 2026-10-09 17:30 "}, "2026-10-09", None),
        ({"due": "2026-10-09Z"}, None, "2026-10-09Z"),
        ({"due": "by Friday"}, None, "by Friday"),
        ({"due": "Friday", "due_text": "by Friday"}, None, "by Friday"),
        ({"due": "2026-10-09", "due_text": "Friday"}, "2026-10-09", "Friday"),
        ({"due": 20261009}, None, "20261009"),
        ({"due": "٢٠٢٦-١٠-٠٩"}, None, "٢٠٢٦-١٠-٠٩"),
    ],
)
def test_a_due_date_is_an_iso_day_and_everything_else_is_words(said, due, due_text):
    read = ActionItemAnswer.model_validate({"task": "a", **said})

    assert (read.due, read.due_text) == (due, due_text)


@pytest.mark.parametrize(
    ("said", "day", "text"),
    [
        ({"date": "2026-10-09T00:00:00Z", "text": "Friday"}, "2026-10-09", "Friday"),
        ({"date": "Friday"}, None, "Friday"),
        ({"date": "next week", "text": "Friday"}, None, "Friday"),
        ({"date": None, "text": None}, None, ""),
    ],
)
def test_a_date_is_an_iso_day_and_everything_else_is_words(said, day, text):
    read = DateAnswer.model_validate(said)

    assert (read.date, read.text) == (day, text)


@pytest.mark.parametrize(
    ("kind", "value", "name", "label"),
    [
        (ActionItemAnswer, {"task": "a", "status": "Open"}, "status", "open"),
        (ActionItemAnswer, {"task": "a", "status": None}, "status", "open"),
        (FactsAnswer, {"priority": " High "}, "priority", "high"),
        (FactsAnswer, {"priority": "None"}, "priority", None),
        (FactsAnswer, {"priority": ""}, "priority", None),
        (SentimentAnswer, {"sentiment": "NEGATIVE"}, "sentiment", "negative"),
        (EntityAnswer, {"text": "a", "kind": "Person"}, "kind", "person"),
        (EntityAnswer, {"text": "a", "kind": None}, "kind", "other"),
        (ClassificationAnswer, {"label": 5}, "label", "5"),
    ],
)
def test_a_closed_label_is_read_whatever_its_case(kind, value, name, label):
    assert getattr(kind.model_validate(value), name) == label


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (FactsAnswer, {"priority": "whenever"}),
        (FactsAnswer, {"priority": 3}),
        (SentimentAnswer, {"sentiment": "furious"}),
        (SentimentAnswer, {"sentiment": None}),
        (SentimentAnswer, {}),
        (EntitiesAnswer, {"entities": [{"text": "a", "kind": "dragon"}]}),
        (ActionItemsAnswer, {}),
        (ActionItemsAnswer, {"task": "a"}),
        (ActionItemsAnswer, {"action_items": [{"task": ""}]}),
        (ActionItemsAnswer, {"action_items": [{"owner": "Ada"}]}),
        (ActionItemsAnswer, {"action_items": ["pay"]}),
        (ActionItemsAnswer, {"action_items": [{"task": "a", "evidence": True}]}),
        (ActionItemsAnswer, {"action_items": [{"task": "a", "evidence": [["q"]]}]}),
        (ActionItemsAnswer, {"action_items": [{"task": "x" * 1_001}]}),
        (ActionItemsAnswer, {"action_items": [{"task": "a", "quote": "x" * 4_001}]}),
        (ActionItemsAnswer, {"action_items": [{"task": "x" * 10_000_000}]}),
        (KeywordsAnswer, {"keywords": ["a"] * 201}),
        (KeywordsAnswer, {"keywords": "a, b"}),
        (KeywordsAnswer, {"keywords": {"a": 1}}),
        (EntitiesAnswer, {"entities": [{"text": "a"}] * 501}),
        (TranslationAnswer, {"translation": ""}),
        (TranslationAnswer, {"translation": ["a"]}),
        (ReplyAnswer, {"reply_draft": None}),
        (ReplyAnswer, {"reply_draft": "x" * 20_001}),
        (SummaryAnswer, {}),
        (SummaryAnswer, {"summary": None}),
        (SummaryAnswer, {"summary": {"bullets": ["a"]}}),
    ],
)
def test_what_cannot_be_meant_is_malformed(kind, value):
    with pytest.raises(ValidationError):
        kind.model_validate(value)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (ActionItemsAnswer, "action_items"),
        (KeywordsAnswer, "keywords"),
        (EntitiesAnswer, "entities"),
        *((FactsAnswer, name) for name in ("points", "decisions", "dates", "keywords")),
    ],
)
@pytest.mark.parametrize("empty", [None, [], [None]])
def test_null_is_an_empty_list(kind, name, empty):
    assert getattr(kind.model_validate({name: empty}), name) == ()


def test_numbers_are_text_where_text_is_wanted():
    read = FactsAnswer.model_validate(
        {"keywords": [2026], "amounts": [{"text": 12.5, "quote": 12.5}]}
    )

    assert read.keywords == ("2026",)
    assert (read.amounts[0].text, read.amounts[0].evidence.quote) == ("12.5", "12.5")


@pytest.mark.parametrize("summary", ["All good.", {"short": "All good."}])
def test_a_summary_may_be_bare_text(summary):
    assert SummaryAnswer.model_validate({"summary": summary}).summary == SummaryText(
        short="All good."
    )
    assert FactsAnswer.model_validate({"summary": summary}).summary.bullets == ()


def test_keys_that_nobody_asked_for_are_dropped():
    read = KeywordsAnswer.model_validate(
        {"keywords": ["a"], "tool_calls": [{}], "x": None}
    )

    assert read.model_dump() == {"keywords": ("a",)}


def test_the_schema_for_a_model_asks_for_no_summary_among_the_facts():
    assert "summary" not in FactsAnswer.model_json_schema()["properties"]
