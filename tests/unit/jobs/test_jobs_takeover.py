"""Who is dead, by what was seen of the others."""

from dataclasses import replace

from flaskllm.jobs.takeover import Pace, Seen, Watch, judge, judge_claims
from flaskllm.storage.workers import WorkerRow

OWN = WorkerRow("wrk_own", "here", "1:1", 4)
OTHER = WorkerRow("wrk_other", "there", "2:2", 4, beats=7)
PACE = Pace(look_seconds=2.0, patience_seconds=15.0)


def lives(_process):
    return False


def looks(*rows, executors=(), every=2.0, is_gone=lives, own=OWN):
    """Return the verdicts of one look after the other; each row is a look's."""
    watch, verdicts = Watch(), []
    for number, row in enumerate(rows):
        seen = Seen(
            [own, *([row] if row else [])], frozenset(executors), number * every
        )
        verdicts.append(judge(watch, seen, own, is_gone, PACE))
        watch = verdicts[-1].watch
    return verdicts


def dead(verdicts):
    return [verdict.dead for verdict in verdicts]


def test_who_is_silent_for_fifteen_seconds_is_dead_and_not_before():
    found = dead(looks(*[OTHER] * 9))

    assert found == [()] * 8 + [("wrk_other",)]


def test_who_shows_any_growth_lives():
    grown = [replace(OTHER, beats=7 + number // 7) for number in range(30)]

    assert not any(dead(looks(*grown)))


def test_a_counter_that_fell_is_a_sign_of_life_too():
    rows = [*[OTHER] * 7, *[replace(OTHER, beats=1)] * 7]

    assert not any(dead(looks(*rows)))


def test_whose_process_is_gone_from_this_machine_is_dead_at_once():
    here = replace(OTHER, host="here")

    assert dead(looks(here, is_gone=lambda process: process == "2:2")) == [
        ("wrk_other",)
    ]


def test_processes_of_other_machines_are_not_looked_for_here():
    assert dead(looks(OTHER, is_gone=lambda _: True)) == [()]


def test_where_machines_cannot_be_told_apart_no_process_is_looked_for():
    nowhere, own = replace(OTHER, host=""), replace(OWN, host="")

    assert dead(looks(nowhere, is_gone=lambda _: True, own=own)) == [()]


def test_who_has_work_and_no_row_is_waited_for_as_long():
    found = dead(looks(*[None] * 9, executors=["wrk_left"]))

    assert found == [()] * 8 + [("wrk_left",)]


def test_nobody_finds_itself_dead():
    verdicts = looks(*[None] * 20, executors=["wrk_own"], is_gone=lambda _: True)

    assert not any(dead(verdicts))


def test_who_was_away_itself_waits_anew():
    watch = looks(*[OTHER] * 7)[-1].watch

    back = judge(watch, Seen([OWN, OTHER], frozenset(), 600.0), OWN, lives, PACE)
    later = judge(back.watch, Seen([OTHER], frozenset(), 602.0), OWN, lives, PACE)

    assert (back.dead, later.dead) == ((), ())


def test_who_was_taken_over_and_comes_back_is_known_anew():
    verdicts = looks(*[OTHER] * 9, *[replace(OTHER, beats=8)] * 3)

    assert dead(verdicts)[8:] == [("wrk_other",), (), (), ()]


def test_it_is_settled_when_all_who_have_work_were_seen_to_grow():
    grown = replace(OTHER, beats=8)

    verdicts = looks(OTHER, OTHER, grown, executors=["wrk_other", "wrk_own"])

    assert [verdict.is_settled for verdict in verdicts] == [False, False, True]


def test_who_has_no_work_need_not_be_waited_for():
    assert looks(OTHER)[0].is_settled


def test_what_is_claimed_and_not_in_hand_for_fifteen_seconds_is_lost():
    first, _ = judge_claims({}, ["job_a", "job_b"], {"job_b"}, 1.0, PACE)
    second, none = judge_claims(first, ["job_a", "job_c"], set(), 15.0, PACE)
    third, lost = judge_claims(second, ["job_a", "job_c"], {"job_c"}, 16.0, PACE)

    assert (first, none) == ({"job_a": 1.0}, ())
    assert second == {"job_a": 1.0, "job_c": 15.0}
    assert (third, lost) == ({}, ("job_a",))


def test_what_was_lost_and_is_claimed_anew_has_its_time_anew():
    left, _ = judge_claims({"job_a": 1.0}, ["job_a"], set(), 16.0, PACE)

    assert judge_claims(left, ["job_a"], set(), 18.0, PACE) == ({"job_a": 18.0}, ())
