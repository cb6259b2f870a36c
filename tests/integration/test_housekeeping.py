"""Housekeeping in the whole gateway: after an answer, by the command, and once."""

import sys
from types import ModuleType

import pytest
from fakes import FakeClock
from processes import FLASKLLM

from flaskllm.core.config import load
from flaskllm.core.errors import NotFound
from flaskllm.factory import create_app
from flaskllm.services.housekeeping import EVERY_SECONDS
from flaskllm.services.responses import KEPT_FOR, KeptResponse
from flaskllm.storage.leases import Leases
from flaskllm.wiring import build_services

KEPT = KeptResponse("resp_1", {"output": []}, [])


@pytest.fixture
def gateway(tmp_path, monkeypatch, fake_clock):
    """The services of a host without threads, and a client of their app."""
    monkeypatch.setitem(sys.modules, "uwsgi", ModuleType("uwsgi"))
    loaded = load({}, tmp_path)
    services = build_services(loaded, fake_clock)
    yield services, create_app(loaded, services).test_client()
    services.database.close()


def is_kept(services):
    """Tell whether the row is there, expired or not."""
    rows = services.responses._rows
    return rows.find("resp_1", "anna", FakeClock().now()) is not None


def test_what_expired_is_removed_after_an_answer_and_not_before(gateway, fake_clock):
    services, client = gateway
    services.responses.keep(KEPT, "anna")
    fake_clock.advance(KEPT_FOR.total_seconds())
    with pytest.raises(NotFound):
        services.responses.find("resp_1", "anna")

    reply = client.get("/api/v1/health")

    assert reply.get_json()["data"] == {"status": "ok"}
    assert is_kept(services)
    reply.close()
    assert not is_kept(services)
    (done,) = {lease.done_at for lease in Leases(services.database).list().values()}
    assert done == fake_clock.now()


def test_in_the_same_minute_nobody_looks_again(gateway, fake_clock):
    services, client = gateway
    for seconds in (EVERY_SECONDS, EVERY_SECONDS - 1):
        fake_clock.advance(seconds)
        client.get("/api/v1/health").close()

    (done,) = {lease.done_at for lease in Leases(services.database).list().values()}
    assert (fake_clock.now() - done).total_seconds() == EVERY_SECONDS - 1


def test_commands_that_start_together_do_each_duty_once(house):
    assert house.run("db", "upgrade").returncode == 0

    started = [house.start((*FLASKLLM, "maintain")) for _ in range(4)]

    assert [each.wait() for each in started] == [0] * 4, started[0].stderr
    lines = [line for each in started for line in each.stdout.splitlines()]
    names = {line.partition(":")[0] for line in lines}
    kept = {"reservations", "responses", "counters", "idempotency", "cache"}
    aged = {"usage", "ledger", "audit", "workers", "reports"}
    assert names == {*kept, *aged, "jobs", "deliveries", "threads", "log"}
    assert len(lines) == 4 * len(names)
    for name in names:
        told = sorted(line for line in lines if line.startswith(name))
        assert told == [f"{name}: 0"] + [f"{name}: not due"] * 3
