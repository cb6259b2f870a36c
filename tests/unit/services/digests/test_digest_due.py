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
    assert check_date(claim, words, quote, GROUND) == found
