"""The benchmark of verification: what it counts, and that its floors hold."""

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
PAIRS = 12


@pytest.fixture(scope="module")
def bench():
    """The script; it imports its neighbours by their bare names."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import verification
    finally:
        sys.path.remove(str(BENCHMARKS))
    return verification


@pytest.fixture(scope="module")
def rows(bench):
    return list(bench.measure(bench.read_sources(None), 7, PAIRS))


def test_the_floors_hold_in_every_class_without_any_samples(bench, rows):
    assert len(rows) == len(bench.FALSE) + len(bench.TRUE) == 19
    for row in rows:
        assert row.pairs == PAIRS, row.name
        assert row.lies == 0, row.name
        assert row.hits >= PAIRS - 1, row.name
    assert bench.total(rows).recall >= 0.95


def test_a_seed_gives_the_same_set_again(bench):
    sources = bench.read_sources(None)[:2]

    def drawn():
        dice = bench.random.Random("7 case")
        cases = bench.islice(bench.make_variants("case", sources, dice, 3), 3)
        return [(case.true, case.false) for case in cases]

    assert drawn() == drawn()


def test_the_figures_are_those_of_the_counts(bench):
    row = bench.Row("x", pairs=10, hits=9, lies=1, seconds=0.2)

    assert (row.precision, row.recall, row.ms_per_quote) == (0.9, 0.9, 10.0)
    assert list(bench.show([row]))[-1] == "| **all** | 10 | 0.900 | 0.900 | 10.00 |"


def test_a_quote_is_true_when_its_words_stand_there_fillers_aside(bench):
    assert bench.spoken("We, uh, can’t — pay!") == bench.spoken("we can't pay")
    assert bench.spoken("we can pay") not in bench.spoken("We can't pay")
