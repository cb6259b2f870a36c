"""A day holds when it follows from the words of the source."""

import pytest
from digest_fakes import ground

from flaskllm.services.digests.answers import Quoted
from flaskllm.services.digests.due import check_date, check_due
from flaskllm.services.digests.evidence import prove
from flaskllm.services.digests.types import Evidence

GROUND = ground("Please pay by Friday. We met on Monday, 12 October 2026.")
FRIDAY = "2026-10-09"


BODY = "Pay it.\n\nPay by Friday.\n\nThe party is on Monday."


@pytest.mark.parametrize(
    ("claim", "words", "quote", "found"),
    [
        (FRIDAY, "by Friday", "Pay it.", (FRIDAY, True)),
        ("2026-10-12", "by Friday", "Pay it.", (None, False)),
        (None, "by Friday", "Pay it.", (FRIDAY, True)),
        (None, "some day", "Pay it.", (None, True)),
        (None, None, "Pay by Friday.", (None, True)),
        (FRIDAY, None, "Pay by Friday.", (FRIDAY, True)),
        ("2026-10-12", "on Monday", "Pay by Friday.", (None, False)),
        (FRIDAY, None, "Pay it.", (FRIDAY, True)),
        (FRIDAY, None, "The party is on Monday.", (None, False)),
        ("2026-11-20", None, "Pay it.", (None, False)),
        ("2026-13-45", "by Friday", "Pay it.", (None, False)),
        ("Friday", None, "Pay by Friday.", (None, False)),
    ],
    ids=[
        "the words mean it",
        "they mean another",
        "worked out",
        "words that mean no day",
        "no claim and no words",
        "the quote means it",
        "the quote decides before words elsewhere",
        "the part means it",
        "the quote decides before the part",
        "nothing means it",
        "no day of the calendar",
        "no ISO date",
    ],
)
def test_a_due_date_follows_from_the_nearest_words(claim, words, quote, found):
    made = ground(BODY)
    evidence = prove(Quoted(quote=quote), made)

    assert check_due(claim, words, evidence, made) == found


def test_words_within_the_quote_choose_among_its_days():
    made = ground("Pay by Friday, we meet on 20 October.")
    evidence = prove(Quoted(quote="Pay by Friday, we meet on 20 October."), made)

    assert check_due("2026-10-20", "by Friday", evidence, made) == (None, False)
    assert check_due(FRIDAY, "by Friday", evidence, made) == (FRIDAY, True)


def test_two_facts_of_one_part_are_checked_alike():
    made = ground(BODY)
    evidence = prove(Quoted(quote="Pay it."), made)

    for _ in range(2):
        assert check_due(FRIDAY, None, evidence, made) == (FRIDAY, True)
        assert check_due("2026-10-13", None, evidence, made) == (None, False)


def test_a_quote_that_stands_nowhere_means_no_day():
    nowhere = Evidence("Pay it.", verified=False)

    assert check_due(FRIDAY, None, nowhere, ground(BODY)) == (None, False)


@pytest.mark.parametrize(
    ("claim", "words", "quote", "found"),
    [
        (FRIDAY, "Friday", "Pay by Friday.", (FRIDAY, True)),
        (FRIDAY, "Monday", "Pay by Monday.", (None, False)),
        ("tomorrow", "Friday", "Pay by Friday.", (None, False)),
        (None, "Friday", "Pay by Friday or 12 October.", (FRIDAY, True)),
        (None, None, "Pay by Friday.", (FRIDAY, True)),
        (None, None, "Pay by Friday or on 12 October.", (None, True)),
        (None, None, "Pay.", (None, True)),
    ],
    ids=["true", "false", "no date", "by words", "by quote", "two days", "no day"],
)
def test_a_date_is_one_that_the_quote_can_mean(claim, words, quote, found):
    assert check_date(claim, words, Evidence(quote, True), GROUND) == found


PAINT = "Ben: Please order the paint by Wednesday 14 October."
LATER = "Do it the day after tomorrow."


@pytest.mark.parametrize(
    ("text", "quote", "words", "claim", "found"),
    [
        (PAINT, PAINT, "by Wednesday", None, ("2026-10-14", True)),
        (PAINT, PAINT, "by Wednesday", "2026-10-14", ("2026-10-14", True)),
        (PAINT, PAINT, "by Wednesday", "2026-10-07", (None, False)),
        (PAINT, PAINT[5:44], "by Wednesday", "2026-10-07", (None, False)),
        (PAINT, PAINT[5:44], "by Wednesday", None, ("2026-10-14", True)),
        (PAINT, "order the paint", "by Wednesday", None, ("2026-10-14", True)),
        (LATER, LATER, "tomorrow", "2026-10-06", (None, False)),
        (LATER, LATER, "tomorrow", None, ("2026-10-07", True)),
        (
            "Pay it by Wednesday\n14 October.",
            "Pay it by Wednesday\n14 October.",
            "by Wednesday",
            "2026-10-07",
            (None, False),
        ),
        (
            "Call Ada on Friday\n12 October: the party",
            "Call Ada on Friday",
            "on Friday",
            FRIDAY,
            (FRIDAY, True),
        ),
        (
            "Not by Friday but by Monday.",
            "Not by Friday but by Monday.",
            "by Monday",
            "2026-10-12",
            ("2026-10-12", True),
        ),
        (BODY, "The party is on Monday.", "by Friday", None, (None, False)),
    ],
    ids=[
        "filled in from the whole mention",
        "the right day",
        "the day of the fragment",
        "a quote that cuts the mention",
        "the same, filled in",
        "words outside of the quote",
        "a word within a longer one",
        "the same, filled in",
        "over a line break",
        "the next line is another day",
        "one of several mentions",
        "words elsewhere against the quote",
    ],
)
def test_a_part_of_a_mention_means_what_all_of_it_means(
    text, quote, words, claim, found
):
    made = ground(text)
    evidence = prove(Quoted(quote=quote), made)

    assert check_due(claim, words, evidence, made) == found


def test_a_date_named_by_a_part_of_a_mention_is_that_of_all_of_it():
    made = ground(PAINT)
    evidence = prove(Quoted(quote=PAINT), made)

    found = check_date(None, "Wednesday", evidence, made)

    assert found == ("2026-10-14", True)


def test_words_far_around_a_quote_are_not_read():
    filler = "very " * 40
    made = ground(f"{filler}soon, by Wednesday, {filler}late.")
    evidence = prove(Quoted(quote="soon, by Wednesday"), made)

    assert check_due("2026-10-07", "Wednesday", evidence, made)[1]
