"""Leases are lengthened while their requests run, and no longer."""

import os
import threading

import pytest
from fakes import FakeClock
from idempotency_scene import DEADLINE_SECONDS

from flaskllm.core.clock import Deadline
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.services.claims import LEASE_SECONDS, RENEW_SECONDS, Claim, RunningClaims
from flaskllm.storage.idempotency import Place


class Rows:
    """Notes which leases are lengthened, and until when."""

    def __init__(self):
        self.renewed = []
        self.error = None

    def renew(self, owned, lease_until):
        if self.error:
            raise self.error
        self.renewed.append((owned, lease_until))


@pytest.fixture
def rows():
    return Rows()


def running_of(rows, clock, *, threaded=False):
    return RunningClaims(
        rows, clock, threaded=threaded, deadline_seconds=DEADLINE_SECONDS
    )


@pytest.fixture
def running(rows, fake_clock):
    return running_of(rows, fake_clock)


def claim_of(running, owner="own_1"):
    return Claim(Place("anna", b"k" * 32), owner, "req-1", running.ends())


def test_three_renewals_may_fail_before_a_lease_is_over():
    assert LEASE_SECONDS > 3 * RENEW_SECONDS


def test_what_runs_is_renewed_and_what_ended_is_not(rows, running):
    first, second = (claim_of(running, owner) for owner in ("own_1", "own_2"))
    running.enter(first)
    running.enter(second)
    running.leave(first)

    running.renew()

    assert rows.renewed == [([(second.place, "own_2")], running.lease_until())]


def test_where_nothing_runs_the_database_is_not_asked(rows, running):
    running.enter(claim := claim_of(running))
    running.leave(claim)
    running.leave(claim)

    running.renew()

    assert rows.renewed == []


def test_what_runs_longer_than_any_request_may_is_given_up(rows, running, fake_clock):
    running.enter(claim_of(running))
    fake_clock.advance(DEADLINE_SECONDS + 60)

    running.renew()

    assert rows.renewed == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ServiceUnavailable(details="It is locked."), "It is locked."),
        (KeyError(), "KeyError"),
    ],
)
def test_a_renewal_that_fails_is_told_and_made_again(
    rows, running, caplog, error, reason
):
    rows.error = error
    running.enter(claim_of(running))

    running.renew()
    rows.error = None
    running.renew()

    (record,) = caplog.records
    assert record.getMessage() == "idempotency_leases_not_renewed"
    assert record.fields == {"claims": 1, "reason": reason}
    assert len(rows.renewed) == 1


def test_a_forked_process_lengthens_no_lease_of_its_parent(rows, running, tmp_path):
    told = tmp_path / "told"
    running.enter(claim_of(running))

    child = os.fork()
    if child == 0:  # nothing of pytest may run here
        running.renew()
        told.write_text(str(len(rows.renewed)))
        os._exit(0)
    os.waitpid(child, 0)

    assert told.read_text() == "0"


def test_one_thread_begins_before_the_first_claim(rows):
    def threads():
        return [t for t in threading.enumerate() if t.name == "idempotency-leases"]

    before = len(threads())
    running = running_of(rows, FakeClock(), threaded=True)
    assert len(threads()) == before

    running.begin()
    running.begin()
    running.enter(claim_of(running))

    assert len(threads()) == before + 1


def test_a_claim_ends_with_its_deadline_and_a_margin(running, fake_clock):
    assert running.ends() == Deadline.after(DEADLINE_SECONDS + 60, fake_clock)
