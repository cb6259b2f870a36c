"""The k-th call fails, for k = 1, 2, ... until the run passes: nothing is left wrong.

A run ends in success or in a typed error; the same run without the fault succeeds, in
the same process; and no reservation, connection, descriptor, thread, claim or seat is
left over, nor half a job, nor a second effect under one key.
"""

import shutil

import pytest
from kth_faults import FILES, POSTGRES, SOCKETS, SQLITE, THREADS
from kth_loop import loop
from kth_scenes import SCENARIOS
from kth_stage import opened
from kth_starts import start_all
from rounds import IS_FULL, rounds

EACH = None if IS_FULL else 2
ALL = (*SQLITE, *SOCKETS, *FILES, *THREADS)
SOME = (SQLITE[0], SQLITE[-1], SOCKETS[0], FILES[0], THREADS[0])
SOME_OF_SOME = 3
STARTS = (*SQLITE, *FILES) if IS_FULL else (SQLITE[0], FILES[0])


def faults_for(name):
    """Return all, or in a small round some, of which each comes in its turn."""
    turn = list(SCENARIOS).index(name)
    some = [SOME[(turn + n) % len(SOME)] for n in range(SOME_OF_SOME)]
    # Those of threads come last: each of their rounds leaves some behind.
    return ALL if IS_FULL else sorted(some, key=SOME.index)


@pytest.mark.timeout(rounds(120, 3600))
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_call_that_fails_leaves_nothing_wrong(
    name, tmp_path, sqlite_template, record_property
):
    data = tmp_path / "stage" / "data"
    data.mkdir(parents=True, mode=0o700)
    shutil.copy(sqlite_template, data / "flaskllm.db")
    with opened(tmp_path / "stage") as stage:
        result = loop(stage, SCENARIOS[name], faults_for(name), EACH)

    record_property("figure", str(result))
    assert result.wrongs == []
    assert result.rounds == result.done + result.told > 0


@pytest.mark.timeout(rounds(120, 3600))
@pytest.mark.parametrize("name", SCENARIOS if IS_FULL else ["idempotency key"], ids=str)
def test_a_server_that_goes_away_once_leaves_nothing_wrong(
    name, tmp_path, postgres_database_url, record_property
):
    with opened(tmp_path / "stage", postgres_database_url) as stage:
        result = loop(stage, SCENARIOS[name], POSTGRES, rounds(2, 20))

    record_property("figure", str(result))
    assert result.wrongs == []
    assert result.rounds == result.done + result.told > 0


@pytest.mark.timeout(rounds(120, 3600))
def test_what_a_first_start_leaves_the_next_one_mends(tmp_path, record_property):
    result = start_all(tmp_path, STARTS, EACH)

    record_property("figure", str(result))
    assert result.wrongs == []
    assert result.rounds == result.done + result.told > 0
