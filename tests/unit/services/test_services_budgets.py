"""Whether an attempt fits into budgets, and what is told when it does not."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from budget_rows import DOLLAR, budget, standing
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.services.budgets import (
    Admitted,
    BudgetNotice,
    Refused,
    exceeded,
    judge,
    notice_of,
    tell_passed,
)

HARD = budget("hard")
SOFT = budget("soft", kind="soft")
BERLIN = ZoneInfo("Europe/Berlin")

# What is spent of a limit of 50, what is needed, and whether a hard budget lets it.
FITS = {
    "nothing is spent": (0, 1, True),
    "it fits exactly": (49, 1, True),
    "all of it at once": (0, 50, True),
    "one too much": (49, 2, False),
    "all is spent": (50, 1, False),
    "more is spent than there was": (51, 1, False),
    "what needs nothing, while something is left": (49, 0, True),
    "what needs nothing, when all is spent": (50, 0, False),
    "what needs nothing, after an overshoot": (60, 0, False),
}


@pytest.mark.parametrize(("spent", "need", "fits"), FITS.values(), ids=FITS)
def test_a_hard_budget_admits_what_fits(spent, need, fits):
    verdict = judge([standing(HARD, spent)], need, ())

    assert isinstance(verdict, Admitted if fits else Refused)


def test_without_budgets_everything_is_admitted():
    assert judge([], 10**18, ()) == Admitted()


@pytest.mark.parametrize("need", [0, 1])
def test_a_hard_budget_of_nothing_stops_everything(need):
    nothing = standing(replace(HARD, limit_nanos=0))

    assert isinstance(judge([nothing], need, ()), Refused)


def test_a_refusal_says_which_budget_and_what_was_needed():
    there = standing(HARD, 45)

    assert judge([there], 6, ()) == Refused(there, None, 6, frozenset(), (there,))


@pytest.mark.parametrize(
    ("settled", "reserved", "need", "is_passed"),
    [
        (49, 0, 1, False),
        # What is reserved is the worst case, and no alarm.
        (49, 60, 60, False),
        (0, 0, 51, False),
        (50, 0, 0, True),
        (51, 7, 1, True),
    ],
)
def test_a_soft_budget_lets_everything_and_tells_once_it_is_spent(
    settled, reserved, need, is_passed
):
    there = standing(SOFT, settled).charged(reserved)
    verdict = judge([there], need, ())

    passed = (there,) if is_passed else ()
    assert verdict == Admitted(passed, passed)


def test_what_was_told_in_its_period_is_not_told_again():
    soft = standing(SOFT, 60, is_told=True)
    hard = standing(HARD, 60, is_told=True)

    assert judge([soft], 1, ()) == Admitted((soft,), ())
    assert judge([hard], 1, ()).untold == ()


def test_of_those_that_refuse_the_one_without_an_alias_wins():
    firm = budget("1", period="day")
    lenient = budget("2", period="month", on_exhausted="local")
    both = [standing(lenient, 60), standing(firm, 60)]

    verdict = judge(both, 1, ())

    assert (verdict.standing.budget, verdict.alias) == (firm, None)
    assert verdict.waives == frozenset()
    assert set(verdict.untold) == set(both)


def test_then_the_one_that_lasts_longest():
    rows = [budget(period, period=period) for period in ("week", "month", "day")]

    refusing = judge([standing(row, 60) for row in rows], 1, ()).standing.budget

    assert refusing.period == "month"


def test_one_alias_waives_all_that_name_it_and_no_other():
    month, day = (
        budget(period, period=period, on_exhausted="local")
        for period in ("month", "day")
    )
    week = budget("week", period="week", on_exhausted="cheap")
    every = [standing(row, 60) for row in (day, week, month)]

    first = judge(every, 1, ())
    second = judge(every, 1, first.waives)
    last = judge(every, 1, first.waives | second.waives)

    assert (first.alias, first.waives) == ("local", {month.id, day.id})
    assert (second.alias, second.waives) == ("cheap", {week.id})
    assert last == Admitted()


def test_a_budget_that_is_not_full_is_not_waived_by_the_way():
    full = budget("1", on_exhausted="local")
    free = budget("2", period="day", on_exhausted="local")

    verdict = judge([standing(full, 60), standing(free, 0)], 1, ())

    assert verdict.waives == {full.id}


@given(
    limit=st.integers(0, 200),
    needs=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60)), max_size=40),
)
def test_what_is_reserved_never_goes_beyond_a_hard_limit(limit, needs):
    """Each attempt settles at most at what it reserved, or at any less."""
    there = standing(budget(limit_nanos=limit))
    for need, settled in needs:
        verdict = judge([there], need, ())
        before = there.spent_nanos
        if isinstance(verdict, Admitted):
            there = there.charged(need)
            assert there.spent_nanos <= limit
            there = there.charged(min(settled, need) - need)
        else:
            assert before + need > limit or before >= limit


@given(
    limit=st.integers(0, 100),
    needs=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 90)), max_size=30),
)
def test_after_an_overshoot_nothing_is_admitted(limit, needs):
    """Where nobody capped the answer it may cost more than was reserved: once."""
    there = standing(budget(limit_nanos=limit))
    overshoots = 0
    for need, settled in needs:
        if isinstance(judge([there], need, ()), Refused):
            continue
        assert there.spent_nanos < limit
        there = there.charged(settled)
        overshoots += there.spent_nanos > limit
    assert overshoots <= 1


@given(
    needs=st.lists(st.integers(0, 30), max_size=30),
    hard=st.integers(0, 200),
    soft=st.integers(0, 200),
)
def test_a_soft_budget_changes_nothing_of_what_is_admitted(needs, hard, soft):
    alone = judged(needs, [budget(limit_nanos=hard)])
    beside = judged(needs, [budget(limit_nanos=hard), budget("s", soft, kind="soft")])

    assert alone == beside


def judged(needs, rows):
    """Return which of these needs, one after the other, are admitted."""
    there, admitted = [standing(row) for row in rows], []
    for need in needs:
        is_admitted = isinstance(judge(there, need, ()), Admitted)
        admitted.append(is_admitted)
        if is_admitted:
            there = [each.charged(need) for each in there]
    return admitted


def test_a_refusal_is_told_in_dollars_and_in_the_zone_of_the_reports():
    row = budget(limit_nanos=25 * DOLLAR, subject="principal:bootstrap")
    refused = Refused(standing(row, 24_900_000_000), None, 200_000_000)

    error = exceeded(refused, datetime(2026, 8, 5, 12, tzinfo=UTC), BERLIN)

    assert (error.status, error.code, error.alias) == (402, "BUDGET_EXCEEDED", None)
    assert error.retry_after_seconds is None
    assert error.details == (
        "The budget of this principal for one month is 25.00 US dollars; 24.90 are "
        "spent or reserved, and up to 0.20 are needed. "
        "It begins anew at 2026-09-01T00:00:00+02:00."
    )


def test_a_refusal_names_the_tag_and_the_alias_that_takes_over():
    refused = Refused(standing(HARD, 60), "local", 1)

    error = exceeded(refused, datetime(2026, 8, 5, 12, tzinfo=UTC), BERLIN)

    assert "The budget of the tag sales for one month" in error.details
    assert error.alias == "local"


@pytest.mark.parametrize(("second", "hint"), [(0, 60.0), (59, 1.0)])
def test_when_to_come_back_is_told_in_the_last_minute_only(second, hint):
    refused = Refused(standing(HARD, 60), None, 1)

    last = datetime(2026, 8, 31, 21, 59, second, tzinfo=UTC)
    assert exceeded(refused, last, BERLIN).retry_after_seconds == hint

    earlier = datetime(2026, 8, 31, 21, 58, 59, tzinfo=UTC)
    assert exceeded(refused, earlier, BERLIN).retry_after_seconds is None


def test_a_notice_says_which_budget_and_how_far_it_is():
    there = standing(SOFT, 60)

    assert notice_of(there) == BudgetNotice(SOFT.id, "month", 50, 60)
    assert notice_of(there, "local").alias == "local"


def test_a_budget_that_is_passed_is_logged_and_counted(caplog):
    counted = []
    caplog.set_level("WARNING")

    tell_passed(
        [standing(SOFT, 60), standing(HARD, 70)], lambda *labels: counted.append(labels)
    )

    assert counted == [("soft", "month"), ("hard", "month")]
    assert [record.getMessage() for record in caplog.records] == ["budget_passed"] * 2
    assert caplog.records[0].fields == {
        "budget": SOFT.id,
        "subject": "tag:sales",
        "kind": "soft",
        "period": "month",
        "period_start": date(2026, 8, 1).isoformat(),
        "limit_nanos": 50,
        "spent_nanos": 60,
    }
