"""The text of a digest in each form; it never fails and no fact forges another."""

import json
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flaskllm.services.digests.render import render
from flaskllm.services.digests.types import (
    ActionItem,
    DateFact,
    Digest,
    DigestType,
    EntityFact,
    EntityKind,
    Evidence,
    Participant,
    Priority,
    ResponseFormat,
    Sentiment,
    Statement,
    Status,
    Summary,
)

PROOF = Evidence("quote", True, part="p1", offset=0, length=5)
DOUBT = Evidence("quote", verified=False)
ITEM = ActionItem("Pay", None, None, None, "open", PROOF)
FULL = Digest(
    language="en",
    kind="email",
    summary=Summary("All good.", ("One.", "Two.")),
    action_items=(
        ITEM,
        ActionItem("Call", "Ada", "2026-10-09", "Friday", "done", PROOF),
        ActionItem("Send", None, None, "soon", "retracted", PROOF),
    ),
    decisions=(Statement("We stop.", PROOF),),
    open_questions=(Statement("Why?", PROOF),),
    risks=(Statement("Rain.", PROOF),),
    dates=(DateFact("2026-10-09", "Friday", PROOF), DateFact(None, "soon", DOUBT)),
    amounts=(Statement("5 EUR", PROOF),),
    keywords=("invoice", "deliv\neries"),
    entities=(EntityFact("1,250.00\nEUR", "amount", PROOF),),
    sentiment="negative",
    label="complaint",
    reply_draft="Dear Ada,\n\nyes.",
    translation="Hallo\nBen",
    custom={"ü": [1, None]},
)


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (
            "summary",
            "All good.\n\n- One.\n- Two.\n\n"
            "Action items:\n- Pay\n- Call (Ada, due 2026-10-09, done)\n"
            "- Send (due soon, retracted)\n\n"
            "Decisions:\n- We stop.\n\nOpen questions:\n- Why?\n\nRisks:\n- Rain.\n\n"
            "Amounts:\n- 5 EUR\n\nDates:\n- 2026-10-09: Friday\n- soon [not verified]",
        ),
        (
            "action_items",
            "Action items:\n- Pay\n- Call (Ada, due 2026-10-09, done)\n"
            "- Send (due soon, retracted)",
        ),
        ("keywords", "invoice, deliv eries"),
        ("entities", "- 1,250.00 EUR (amount)"),
        ("reply", "Dear Ada,\n\nyes."),
        ("sentiment", "negative"),
        ("classification", "complaint"),
        ("translation", "Hallo\nBen"),
    ],
)
def test_the_plain_text_of_each_type(wanted, text):
    assert render(FULL, wanted, "text") == text


def test_markdown_marks_headings_and_shows_the_quotes():
    said = Evidence("I *pay*\nit", True, turn="t1", speaker="Ann", start_ms=3_725_000)
    item = ActionItem("Pay", "Ann", None, "by <b>noon</b>", "open", said)
    digest = Digest("en", "meeting", action_items=(item,))

    assert render(digest, "action_items", "markdown") == (
        "## Action items\n- Pay (Ann, due by \\<b\\>noon\\</b\\>)\n"
        "  > “I \\*pay\\* it” (Ann, 1:02:05)"
    )


@pytest.mark.parametrize(
    ("wanted", "digest"),
    [
        (
            "sentiment",
            Digest("en", "email", sentiment="mixed", sentiment_evidence=PROOF),
        ),
        ("classification", Digest("en", "email", label="mixed", label_evidence=PROOF)),
    ],
)
def test_a_label_stands_alone_in_plain_text_and_over_its_quote_in_markdown(
    wanted, digest
):
    assert render(digest, wanted, "text") == "mixed"
    assert render(digest, wanted, "markdown") == "mixed\n  > “quote”"


def test_words_of_the_source_mark_nothing_up_in_markdown():
    image = "![x](https://a.example/?d) `c` <img>"
    digest = Digest(
        "en", "email", keywords=(image,), entities=(EntityFact(image, "other", PROOF),)
    )

    for wanted in ("keywords", "entities"):
        text = render(digest, wanted, "markdown")
        assert "![" not in text
        assert "](" not in text
        assert "<img" not in text.replace("\\<", "")
        assert image in render(digest, wanted, "text")


@pytest.mark.parametrize("wanted", sorted(set(get_args(DigestType)) - {"custom"}))
def test_json_is_the_whole_digest(wanted):
    assert json.loads(render(FULL, wanted, "json")) == json.loads(
        json.dumps(FULL.to_json())
    )


@pytest.mark.parametrize("form", get_args(ResponseFormat))
def test_a_custom_digest_is_the_callers_object_in_every_form(form):
    text = render(FULL, "custom", form)

    assert json.loads(text) == {"ü": [1, None]}
    assert "ü" in text


@pytest.mark.parametrize("form", ["text", "markdown"])
@pytest.mark.parametrize("wanted", sorted(set(get_args(DigestType)) - {"custom"}))
def test_an_empty_digest_is_an_empty_text(wanted, form):
    assert render(Digest("en", "email"), wanted, form) == ""


words = st.text(max_size=8)
maybe = st.none() | words
numbers = st.none() | st.integers(min_value=0, max_value=9)
proofs = st.builds(
    Evidence, words, st.booleans(), maybe, maybe, maybe, numbers, numbers, numbers
)


def several(kind):
    return st.lists(kind, max_size=2).map(tuple)


statements = several(st.builds(Statement, words, proofs))
digests = st.builds(
    Digest,
    language=words,
    kind=words,
    summary=st.none() | st.builds(Summary, words, several(words)),
    participants=several(
        st.builds(Participant, maybe, maybe, st.sampled_from(["from", "to"]))
    ),
    action_items=several(
        st.builds(
            ActionItem,
            words,
            maybe,
            maybe,
            maybe,
            st.sampled_from(get_args(Status)),
            proofs,
        )
    ),
    decisions=statements,
    open_questions=statements,
    risks=statements,
    dates=several(st.builds(DateFact, maybe, words, proofs)),
    amounts=statements,
    keywords=several(words),
    entities=several(
        st.builds(EntityFact, words, st.sampled_from(get_args(EntityKind)), proofs)
    ),
    sentiment=st.sampled_from([None, *get_args(Sentiment)]),
    sentiment_evidence=st.none() | proofs,
    priority=st.sampled_from([None, *get_args(Priority)]),
    label=maybe,
    label_evidence=st.none() | proofs,
    reply_draft=maybe,
    translation=maybe,
    custom=st.none() | st.dictionaries(words, st.integers() | words, max_size=3),
    warnings=several(words),
)


@settings(max_examples=40)
@given(digests)
def test_any_digest_has_a_text_in_every_form(digest):
    for wanted in get_args(DigestType):
        for form in get_args(ResponseFormat):
            assert isinstance(render(digest, wanted, form), str)
