"""A primary that hangs and comes back too late, and a standby in its place."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from away_scene import NAME, Away, Told, away_scene
from postgres_server import running_postgres, running_standby

CALLERS = 6
BEFORE_SECONDS, AWAY_SECONDS, AFTER_SECONDS = 0.5, 0.5, 1.5
USAGE = "SELECT count(*) FROM usage"
# What reached the old one after the moment of the change.
LATE = (
    "SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_start > %(moment)s "
    "AND application_name = 'flaskllm') + "
    "(SELECT count(*) FROM ledger WHERE at > %(moment)s)"
)


def ask_until(away: Away, end_at: float, caller: int) -> list[Told]:
    """Ask, and have work accepted, one after the other until it is over."""
    told: list[Told] = []
    while time.monotonic() < end_at:
        told += [away.ask(), away.accept(f"{caller}-{len(told)}")]
        time.sleep(0.02)
    return told


def test_after_a_failover_all_is_in_the_new_primary_and_nothing_in_the_old(
    tmp_path, record_property
):
    with (
        running_postgres() as primary,
        away_scene(tmp_path, primary) as away,
        running_standby(primary) as standby,
    ):
        end_at = time.monotonic() + BEFORE_SECONDS + AWAY_SECONDS + AFTER_SECONDS
        with ThreadPoolExecutor(CALLERS) as pool:
            asked = [
                pool.submit(ask_until, away, end_at, caller)
                for caller in range(CALLERS)
            ]
            time.sleep(BEFORE_SECONDS)
            with primary.suspended():
                time.sleep(AWAY_SECONDS)
                standby.promote()
                away.chaos.retarget(standby.port)
                away.chaos.cut()
                moment = datetime.now(UTC)
                told = [each for one in asked for each in one.result()]
        away.server = standby
        back_seconds = away.wait_until_back()
        away.books_are_closed()
        with primary.connect(NAME) as connection:
            late = connection.execute(LATE, {"moment": moment}).fetchone()

        refused = [each for each in told if each.status > 202]
        told_of = f"{len(told)} asked, {len(refused)} told 503"
        record_property("figure", f"{told_of}; back after {back_seconds:.1f} s")
        assert [each for each in refused if not each.is_typed_refusal] == []
        assert told[-1].status in (200, 202)
        accepted = sum(each.status == 202 for each in told)
        # The first one was there before; one may be accepted whose answer was lost.
        jobs = away.query("SELECT count(*) FROM jobs") - 1
        assert accepted <= jobs <= accepted + CALLERS
        answered = [each for each in away.upstream.requests if each.method == "POST"]
        assert away.query(USAGE) == len(answered)
        assert late == (0,)
        assert "Traceback" not in away.started.stderr
