"""The ledger: reserved once, settled or released once, corrected where it must be."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from ledger_scene import (
    NOON,
    TODAY,
    entries_of,
    open_attempts,
    released,
    reservation,
    set_budget,
    settled,
    spent_of,
    usage_by_id,
    usage_row,
)

from flaskllm.core.errors import InternalError
from flaskllm.storage.ledger import Admitted, Busy, Closing, Refused

ANN = "principal:ann"


def test_a_reservation_counts_for_each_of_its_subjects(ledger, database):
    written = ledger.write([reservation("a", 1000, tags=("x", "y"))], [])

    assert written.verdicts == (Admitted(),)
    assert open_attempts(database) == {"a"}
    assert entries_of(database, "a") == {("reserve", 1000, False)}
    for subject in (ANN, "tag:x", "tag:y"):
        assert spent_of(database, subject) == (1000, 0)
    assert usage_by_id(database) == {}


def test_what_was_used_takes_the_place_of_what_was_reserved(ledger, database):
    held = reservation("a", 1000, tags=("x",))
    ledger.write([held], [])

    ledger.write([], [settled(held, 400)])

    assert open_attempts(database) == set()
    assert entries_of(database, "a") == {
        ("reserve", 1000, False),
        ("settle", 400, False),
    }
    for subject in (ANN, "tag:x"):
        assert spent_of(database, subject) == (0, 400)
    assert usage_by_id(database) == {"a": usage_row(held, 400)}


def test_a_failure_gives_all_of_it_back(ledger, database):
    held = reservation("a", 1000)
    ledger.write([held], [])

    ledger.write([], [released(held)])

    assert entries_of(database, "a") == {
        ("reserve", 1000, False),
        ("release", 0, False),
    }
    assert spent_of(database, ANN) == (0, 0)
    assert usage_by_id(database)["a"].outcome == "LLM_TIMEOUT"


def test_an_attempt_that_was_never_made_leaves_no_usage(ledger, database):
    held = reservation("a", 1000)
    ledger.write([held], [])

    ledger.write([], [Closing("a", NOON, held, None, is_released=True)])

    assert spent_of(database, ANN) == (0, 0)
    assert (open_attempts(database), usage_by_id(database)) == (set(), {})


def test_what_the_provider_counted_may_be_more_than_was_reserved(ledger, database):
    held = reservation("a", 1000)
    ledger.write([held], [])

    ledger.write([], [settled(held, 5000)])

    assert spent_of(database, ANN) == (0, 5000)


def test_what_overshot_stops_the_next_call(ledger, database):
    set_budget(database, ANN, 4000)
    held = reservation("a", 1000)
    ledger.write([held], [])
    ledger.write([], [settled(held, 5000)])

    written = ledger.write([reservation("b", 0)], [])

    assert isinstance(written.verdicts[0], Refused)
    assert written.verdicts[0].standing.spent_nanos == 5000


def test_a_price_that_is_not_known_is_no_number(ledger, database):
    held = reservation("a", 0, expected_nanos=None)
    ledger.write([held], [])

    ledger.write([], [settled(held, None)])

    assert entries_of(database, "a") == {("reserve", 0, False), ("settle", None, False)}
    assert usage_by_id(database)["a"].cost_nanos is None


@pytest.mark.parametrize("again", ["settled", "released", "in one batch"])
def test_an_attempt_is_closed_once(ledger, database, again):
    held = reservation("a", 1000)
    first, second = settled(held, 400), settled(held, 900)
    ledger.write([held], [])

    if again == "in one batch":
        ledger.write([], [first, second])
    else:
        ledger.write([], [first])
        ledger.write([], [released(held) if again == "released" else second])

    assert spent_of(database, ANN) == (0, 400)
    assert usage_by_id(database)["a"].cost_nanos == 400
    assert len(entries_of(database, "a")) == 2


def test_the_usage_of_an_attempt_that_calls_nobody_is_recorded_once(ledger, database):
    row = usage_row(reservation("local"), 0)
    closing = Closing("local", NOON, None, row)

    ledger.write([], [closing])
    ledger.write([], [closing])

    assert usage_by_id(database) == {"local": row}
    assert entries_of(database, "local") == set()


def test_a_closing_of_what_was_never_written_does_nothing(ledger, database):
    ledger.write([], [settled(reservation("a"), 400)])

    assert entries_of(database, "a") == set()
    assert usage_by_id(database) == {}


def test_what_ended_makes_room_for_what_begins_in_the_same_batch(ledger, database):
    set_budget(database, ANN, 1000)
    first = reservation("a", 1000, concurrent_requests=1)
    second = reservation("b", 900, concurrent_requests=1)
    ledger.write([first], [])

    written = ledger.write([second], [settled(first, 100)])

    assert written.verdicts == (Admitted(),)
    assert spent_of(database, ANN) == (900, 100)


def test_of_a_batch_exactly_as_many_are_admitted_as_fit(ledger, database):
    set_budget(database, "tag:team", 5000)
    wanted = [
        reservation(f"{number}", 1000, principal=f"p{number}", tags=("team",))
        for number in range(8)
    ]

    verdicts = ledger.write(wanted, []).verdicts

    kinds = [type(each) for each in verdicts]
    assert kinds == [Admitted] * 5 + [Refused] * 3
    assert open_attempts(database) == {"0", "1", "2", "3", "4"}
    assert spent_of(database, "tag:team") == (5000, 0)
    assert spent_of(database, "principal:p5") == (0, 0)


def test_a_budget_of_a_month_counts_what_is_reserved_on_any_day_of_it(ledger, database):
    set_budget(database, ANN, 2000, period="month")
    earlier = reservation("a", 1500, day=TODAY - timedelta(days=2))

    verdicts = ledger.write([earlier, reservation("b", 1000)], []).verdicts

    assert [type(each) for each in verdicts] == [Admitted, Refused]


def test_a_waived_budget_stops_nothing_and_counts_all_the_same(ledger, database):
    budget = set_budget(database, ANN, 100, alias="cheap")
    wanted = reservation("a", 1000, waived=frozenset({budget}))

    assert ledger.write([wanted], []).verdicts == (Admitted(),)
    assert spent_of(database, ANN) == (1000, 0)


def test_a_soft_budget_that_is_passed_is_told_once(ledger, database):
    set_budget(database, ANN, 1500, kind="soft")

    tellings = []
    for name in ("a", "b", "c", "d"):
        held = reservation(name)
        written = ledger.write([held], [])
        tellings.append([each.budget.kind for each in written.told])
        ledger.write([], [settled(held, 1000)])

    assert tellings == [[], [], ["soft"], []]


def test_no_more_are_under_way_than_the_limit_says(ledger, database):
    wanted = [
        *(reservation(f"{n}", concurrent_requests=2) for n in range(3)),
        reservation("other", principal="bob", concurrent_requests=1),
        reservation("free", principal="cid"),
    ]

    verdicts = ledger.write(wanted, []).verdicts

    assert verdicts == (Admitted(), Admitted(), Busy(2), Admitted(), Admitted())


def test_what_has_expired_is_not_under_way(ledger, clock):
    ledger.write([reservation("a", concurrent_requests=1)], [])
    clock.advance(361)

    again = ledger.write([reservation("b", concurrent_requests=1)], [])

    assert again.verdicts == (Admitted(),)


def test_one_that_is_wrong_leaves_nothing_behind(ledger, database):
    wrong = reservation("a", 2**70)

    # SQLite's driver refuses such a number before it is one of the database.
    with pytest.raises((InternalError, OverflowError)):
        ledger.write([reservation("b"), wrong], [])

    assert open_attempts(database) == set()
    assert spent_of(database, ANN) == (0, 0)


def test_a_reservation_is_read_back_as_it_was_written(ledger, database, clock):
    held = reservation("a", 1000, tags=("x", "y"))
    awkward = replace(held.described, decision='quote " and ü', price='{"input": 1}')
    ledger.write([replace(held, described=awkward)], [])
    clock.advance(361)

    ledger.sweep(1)

    row = usage_by_id(database)["a"]
    assert (row.decision, row.price) == (awkward.decision, awkward.price)
    assert row.tags == "x y"


def test_batches_around_midnight_do_not_wait_for_each_other(ledger, database):
    tomorrow = TODAY + timedelta(days=1)
    for each in ("ann", "ben"):
        set_budget(database, f"principal:{each}", 10**12)

    def write(first, second, name):
        return [
            ledger.write(
                [
                    reservation(f"{name}{number}a", principal=first),
                    reservation(f"{name}{number}b", principal=second, day=tomorrow),
                ],
                [],
            ).verdicts
            for number in range(30)
        ]

    with ThreadPoolExecutor(2) as threads:
        futures = [
            threads.submit(write, "ann", "ben", "x"),
            threads.submit(write, "ben", "ann", "y"),
        ]
        verdicts = [each for future in futures for each in future.result()]

    assert verdicts == [(Admitted(), Admitted())] * 60
