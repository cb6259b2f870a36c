"""Operators decide over deployments, and every process hears of it in a second."""

import json
import logging
from datetime import timedelta

import pytest
from fakes import FakeClock
from log_lines import ours
from routing_scene import FakeHealth, make_catalog
from worker_scene import wait_for

from flaskllm.core.auth import Actor
from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import InvalidInputError, NotFound, ServiceUnavailable
from flaskllm.services import overrides as module
from flaskllm.services.overrides import Override, Overrides
from flaskllm.storage.audit import AuditRows
from flaskllm.storage.database import Database
from flaskllm.storage.overrides import OverrideRows

ANNA, BEN = Actor("anna"), Actor("ben")


class Rows:
    """The rows of a real table; each look is counted, and may fail."""

    def __init__(self, database):
        self._rows = OverrideRows(database)
        self.looks = 0
        self.error = None

    def list(self):
        self.looks += 1
        if self.error:
            raise self.error
        return self._rows.list()

    def put(self, row, actor):
        self._rows.put(row, actor)

    def remove(self, deployment, actor, at):
        return self._rows.remove(deployment, actor, at)


@pytest.fixture
def database(tmp_path):
    database = Database(
        f"sqlite:///{tmp_path}/x.db", journal="truncate", clock=SystemClock()
    )
    yield database
    database.close()


@pytest.fixture
def rows(database):
    return Rows(database)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def health():
    return FakeHealth()


@pytest.fixture
def overrides(rows, health, clock):
    return Overrides(rows, health, make_catalog, clock, threaded=False)


@pytest.fixture
def elsewhere(database, clock):
    """The same of another process, or another host."""
    health = FakeHealth()
    made = Overrides(Rows(database), health, make_catalog, clock, threaded=False)
    return made, health


class TestPut:
    def test_it_stands_here_at_once(self, overrides, health, clock):
        put = overrides.put("mini", "open", 90, ANNA)

        now = clock.now()
        ends = now + timedelta(seconds=90)
        assert put == Override("mini", "open", ends, "anna", now)
        assert overrides.standing() == {"mini": put}
        assert health.overrides[-1] == {"mini": "open"}

    def test_another_process_hears_of_it_within_a_second(
        self, overrides, elsewhere, clock
    ):
        other, its_health = elsewhere
        other.keep_current()

        overrides.put("mini", "open", None, ANNA)
        other.keep_current()
        assert its_health.overrides[-1] == {}
        clock.advance(1.0)
        other.keep_current()

        assert its_health.overrides[-1] == {"mini": "open"}

    def test_it_ends_by_itself(self, overrides, health, clock):
        overrides.put("mini", "open", 5, ANNA)
        overrides.put("large", "closed", None, ANNA)

        clock.advance(5.0)
        overrides.keep_current()

        assert health.overrides[-1] == {"large": "closed"}
        assert set(overrides.standing()) == {"large"}

    def test_it_ends_also_while_the_database_cannot_be_read(
        self, overrides, health, clock, rows
    ):
        overrides.put("mini", "open", 5, ANNA)
        overrides.put("large", "closed", None, ANNA)
        rows.error = ServiceUnavailable()

        clock.advance(5.0)
        overrides.keep_current()

        assert health.overrides[-1] == {"large": "closed"}

    def test_a_model_that_was_listed_may_be_meant(self, overrides, health):
        overrides.put("box/m-2", "open", None, ANNA)

        assert health.overrides[-1] == {"box/m-2": "open"}

    @pytest.mark.parametrize(
        ("name", "told"),
        [
            ("minni", "the nearest: mini."),
            ("box/m-3", "the nearest: box/m-"),
            ("###", "known: mini, large, rack, local."),
        ],
    )
    def test_an_unknown_deployment_is_told_with_the_nearest(
        self, overrides, rows, name, told
    ):
        with pytest.raises(NotFound, match=f"no deployment '{name}'") as caught:
            overrides.put(name, "open", None, ANNA)

        assert told in caught.value.details
        assert overrides.standing() == {}

    def test_without_a_deployment_none_is_known(self, rows, health, clock):
        empty = make_catalog(discovered=_Nothing())
        object.__setattr__(empty, "deployments", {})
        made = Overrides(rows, health, lambda: empty, clock, threaded=False)

        with pytest.raises(NotFound) as caught:
            made.put("mini", "open", None, ANNA)

        assert caught.value.details == "known: none."

    def test_what_needs_no_upstream_cannot_be_kept_away(self, overrides):
        with pytest.raises(InvalidInputError, match="not valid") as caught:
            overrides.put("local", "open", None, ANNA)

        assert "'local' answers without an upstream" in caught.value.details


class _Nothing:
    def without_asking(self):
        return self

    def names(self):
        return ()


class TestRemove:
    def test_the_breaker_decides_again(self, overrides, health):
        overrides.put("mini", "open", None, ANNA)

        overrides.remove("mini", BEN)
        overrides.remove("mini", BEN)

        assert health.overrides[-1] == {}
        assert overrides.standing() == {}

    def test_an_unknown_deployment_is_told(self, overrides):
        with pytest.raises(NotFound):
            overrides.remove("nobody", BEN)

    def test_what_cannot_be_read_is_no_name_and_is_not_looked_up(self, health, clock):
        overrides = Overrides(None, health, make_catalog, clock, threaded=False)

        with pytest.raises(NotFound):
            overrides.remove("mini\0", BEN)

    def test_what_has_gone_from_the_settings_can_be_removed(
        self, overrides, rows, health, clock
    ):
        overrides.put("mini", "open", None, ANNA)
        catalog = make_catalog()
        object.__setattr__(catalog, "deployments", {})
        changed = Overrides(rows, health, lambda: catalog, clock, threaded=False)

        changed.remove("mini", BEN)

        assert health.overrides[-1] == {}


class TestKeepCurrent:
    def test_many_requests_read_once_a_second(self, overrides, rows, clock):
        for _ in range(50):
            overrides.keep_current()
            clock.advance(0.1)

        assert rows.looks == 5

    def test_a_database_that_fails_keeps_what_stands_and_is_told_once(
        self, overrides, rows, health, clock, caplog
    ):
        overrides.put("mini", "open", None, ANNA)
        rows.error = ServiceUnavailable(details="Its disk is full.")
        caplog.clear()
        with caplog.at_level(logging.INFO):
            for _ in range(3):
                clock.advance(1.0)
                overrides.keep_current()
        rows.error = None
        clock.advance(1.0)
        overrides.keep_current()

        assert health.overrides[-1] == {"mini": "open"}
        (line,) = ours(caplog)
        assert (line.message, line.levelname) == ("overrides_not_read", "WARNING")
        assert line.fields == {
            "code": "SERVICE_UNAVAILABLE",
            "reason": "Its disk is full.",
        }

    def test_a_fault_that_nobody_foresaw_stops_no_request(
        self, overrides, rows, caplog
    ):
        rows.error = KeyError("somebody's text")

        with caplog.at_level(logging.WARNING):
            overrides.keep_current()

        (line,) = ours(caplog)
        assert line.fields == {"code": "KeyError", "reason": ""}

    def test_a_thread_reads_where_there_are_threads(self, rows, health, clock):
        made = Overrides(rows, health, make_catalog, clock, threaded=True)

        made.keep_current()  # the first request waits a moment for the news
        wait_for(lambda: health.overrides)

        assert rows.looks == 1
        assert health.overrides == [{}]

    @pytest.mark.parametrize(
        ("idle_seconds", "patience"), [(0.9, []), (1.0, [0.0]), (2.0, [0.25])]
    )
    def test_only_who_was_idle_waits_for_the_thread(
        self, rows, health, clock, idle_seconds, patience
    ):
        made = Overrides(rows, health, make_catalog, clock, threaded=True)
        made.keep_current()
        made._errand = FakeErrand()

        clock.advance(idle_seconds)
        made.keep_current()

        assert made._errand.asked == patience


class FakeErrand:
    def __init__(self):
        self.asked = []

    def ask(self, patience_seconds):
        self.asked.append(patience_seconds)


def test_what_is_decided_has_its_audit_row(overrides, database, clock):
    overrides.put("mini", "open", None, Actor("anna", "192.0.2.1", "req_12345678"))
    clock.advance(1)
    overrides.remove("mini", BEN)
    overrides.remove("mini", BEN)  # changes nothing, so there is nothing to tell

    removed, put = AuditRows(database).page(10)
    assert (removed.action, removed.object_id) == ("override.remove", "mini")
    assert (removed.principal_id, removed.at) == ("ben", clock.now())
    assert (put.action, put.object_id) == ("override.set", "mini")
    assert (put.principal_id, put.peer) == ("anna", "192.0.2.1")
    assert put.request_id == "req_12345678"
    assert json.loads(put.details) == {"state": "open", "expires_at": None}


def test_what_is_decided_is_logged_with_who_did(overrides, caplog):
    with caplog.at_level(logging.INFO):
        overrides.put("mini", "open", 60, ANNA)
        overrides.remove("mini", BEN)

    lines = [line for line in caplog.records if line.name == module.__name__]
    assert [(line.message, line.fields) for line in lines] == [
        (
            "override_set",
            {
                "deployment": "mini",
                "principal": "anna",
                "state": "open",
                "seconds": 60,
            },
        ),
        ("override_removed", {"deployment": "mini", "principal": "ben"}),
    ]
