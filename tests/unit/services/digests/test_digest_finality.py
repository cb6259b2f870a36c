"""What is said later holds, and what is another matter stays."""

import pytest

from flaskllm.services.digests.finality import settle_items, settle_statements
from flaskllm.services.digests.types import ActionItem, Evidence, Statement


def item(task, status="open", owner=None, due=None, quote="I will do that."):
    return ActionItem(task, owner, due, None, status, Evidence(quote, True, turn="t1"))


def statement(text, quote="That is so."):
    return Statement(text, Evidence(quote, True, turn="t1"))


OPEN = item("Book the security review", owner="Ben", due="2026-03-20")


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (OPEN, item("Security review booking", "retracted")),
        (OPEN, item("Book security review", "done", owner="ben")),
        (item("Send the offer"), item("send the offer", "done")),
        (item("Angebot an Keller schicken"), item("Angebot an Keller", "retracted")),
        (
            item("Move the server rack", due="2026-03-02"),
            item("Move server rack", due="2026-03-09", quote="not Monday, the ninth"),
        ),
        (item("Call Ben", due="2026-03-02"), item("call Ben", due="2026-03-03")),
        (item("Call Ben", "retracted"), item("Call Ben")),
    ],
    ids=["taken back", "done", "same words", "de", "moved", "same moved", "reopened"],
)
def test_a_later_state_of_the_same_task_is_the_only_one(earlier, later):
    assert settle_items([earlier, later]) == (later,)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (OPEN, item("Book the security review", "done", owner="Cleo")),
        (item("Pay invoice 4711"), item("Pay invoice 4712", "done")),
        (item("Book the room"), item("Book the flight", "done")),
        (item("Review"), item("Review the plan of the harbour", "done")),
        (
            item("Send weekly report", due="2026-03-02"),
            item("Send the weekly report", due="2026-03-09", quote="on the ninth"),
        ),
        (item("Book security review", "done"), OPEN),
    ],
    ids=["owner", "number", "other", "too short", "no word of a change", "before"],
)
def test_tasks_that_may_be_two_stay_two(earlier, later):
    assert settle_items([earlier, later]) == (earlier, later)


def test_of_two_that_agree_the_earlier_stays_with_what_it_lacked():
    first, second = item("Call Ben", quote="first"), item("Call Ben", owner="Ada")

    [settled] = settle_items([first, item("Write minutes"), second])[:1]

    assert (settled.evidence.quote, settled.owner) == ("first", "Ada")


def test_a_due_day_that_comes_later_comes_with_its_proof():
    first = item("Call Ben", owner="Ada")
    second = item("Call Ben", due="2026-03-02", quote="on the second")

    assert settle_items([first, second]) == (
        item("Call Ben", owner="Ada", due="2026-03-02", quote="on the second"),
    )


def test_the_order_of_the_document_stays():
    items = [item(f"Do thing {word}") for word in ("alpha", "beta", "gamma")]

    assert settle_items(items) == tuple(items)


def test_a_correction_takes_the_place_of_what_it_corrects():
    before = statement("The campaign budget is 40,000")
    after = statement("Campaign budget is 45,000", "forty-five thousand, not forty")

    assert settle_statements([before, after]) == (after,)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("Campaign budget is 40,000", statement("Campaign budget is 45,000")),
        ("Rent of May is 900", statement("Water is 950", "not 900 but 950")),
        ("Campaign budget is 40,000", statement("Campaign budget is 40,000", "not 4")),
    ],
    ids=["no word of a change", "another subject", "the same number"],
)
def test_a_statement_that_may_be_another_stays(earlier, later):
    assert settle_statements([statement(earlier), later]) == (
        statement(earlier),
        later,
    )
