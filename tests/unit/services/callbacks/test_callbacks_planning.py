"""Who is told of a job that ended, and what is started for it."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest
from callback_scene import HOOK, NOW, OWNER, FakeWorkflows, job
from fakes import FakeClock

from flaskllm.services.callbacks.planning import (
    RENDERINGS,
    deliveries_of,
    first_attempt,
    next_attempt,
    partition_of,
    usual_id,
)
from flaskllm.services.callbacks.telling import Telling
from flaskllm.storage.delivery_log import DeliveryLog
from flaskllm.storage.endpoints import EndpointRows, Listener
from flaskllm.storage.job_rows import Rendering

LATER = NOW + timedelta(seconds=41)
ALL = "job.done job.failed batch.done"


def listener(id="end_1", events=ALL, rendering="json", state="enabled"):
    return Listener(id, events, rendering, state)


def test_each_rendering_that_an_endpoint_may_have_is_made():
    assert RENDERINGS.keys() == {*get_args(Rendering)}


def told(job_row, *listeners):
    """Return event, endpoint and state of each delivery."""
    planned = deliveries_of(job_row, listeners, LATER)
    return [(each.event, each.endpoint_id, each.state) for each in planned.deliveries]


@pytest.mark.parametrize(
    ("changed", "event"),
    [
        ({}, "job.done"),
        ({"state": "failed"}, "job.failed"),
        ({"state": "dead"}, "job.failed"),
        ({"state": "cancelled", "error_code": "AUTHENTICATION_ERROR"}, "job.failed"),
        ({"kind": "batch"}, "batch.done"),
    ],
)
def test_each_end_is_one_event(changed, event):
    ended = job(**{"result": None, **changed})

    assert told(ended, listener(rendering="json")) == [(event, "end_1", "pending")]


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"state": "cancelled"}, id="cancelled by its owner"),
        pytest.param({"batch_id": "job_b", "number": 3}, id="an item of a batch"),
        pytest.param({"state": "working"}, id="not ended"),
    ],
)
def test_some_ends_are_told_to_nobody(changed):
    ended = job(**{"callback_url": HOOK.encode(), **changed})

    assert told(ended, listener()) == []


def test_only_enabled_endpoints_that_listen_are_told():
    listeners = (
        listener("end_1"),
        listener("end_2", events="job.failed"),
        listener("end_3", state="disabled"),
        listener("end_4", events="job.done endpoint.test"),
    )

    assert told(job(), *listeners) == [
        ("job.done", "end_1", "pending"),
        ("job.done", "end_4", "pending"),
    ]


def test_an_address_of_the_request_is_told_besides_and_signed_by_the_usual_one():
    ended = job(callback_url=HOOK.encode())

    planned = deliveries_of(ended, [listener()], LATER)

    first, second = planned.deliveries
    assert (first.endpoint_id, first.target) == (usual_id(OWNER), HOOK.encode())
    assert (second.endpoint_id, second.target) == ("end_1", None)
    assert first.id != second.id


def test_the_endpoint_that_a_request_names_is_told_once_whatever_it_listens_to():
    ended = job(endpoint_id="end_2")

    assert told(ended, listener("end_2")) == [("job.done", "end_2", "pending")]
    assert told(ended, listener("end_2", events="batch.done")) == [
        ("job.done", "end_2", "pending")
    ]
    assert told(ended) == []


@pytest.mark.parametrize("disabled", ["named", "usual"])
def test_what_goes_to_a_disabled_endpoint_is_cancelled_from_the_start(disabled):
    if disabled == "named":
        ended, id = job(endpoint_id="end_2"), "end_2"
    else:
        ended, id = job(callback_url=HOOK.encode()), usual_id(OWNER)

    planned = deliveries_of(ended, [listener(id, state="disabled")], LATER)

    (row,) = planned.deliveries
    assert (row.state, row.next_at, row.finished_at) == ("cancelled", None, LATER)
    assert planned.starts == ()


def test_every_delivery_has_a_first_attempt_that_waits_for_nothing():
    planned = deliveries_of(job(), [listener()], LATER)

    (row,), (start,) = planned.deliveries, planned.starts
    assert start == first_attempt(row)
    assert start.workflow == "deliver"
    assert start.id == f"{row.id}.1"
    assert start.arguments == (row.id, 1)
    assert start.delay_seconds is None
    assert row.next_at == LATER
    assert row.expires_at == job().expires_at


def test_the_next_attempt_has_a_workflow_of_its_own_and_a_delay():
    (row,) = deliveries_of(job(), [listener()], LATER).deliveries

    start = next_attempt(replace(row, attempts=3), 1800.0)

    assert start.id == f"{row.id}.4"
    assert start.arguments == (row.id, 4)
    assert start.delay_seconds == 1800.0


def test_a_receiver_has_turns_of_its_own_and_no_path_is_written_for_it():
    ended = job(callback_url=HOOK.encode())
    to_url, to_endpoint = deliveries_of(ended, [listener()], LATER).deliveries

    assert partition_of(to_endpoint) == "end_1"
    assert partition_of(to_url) == f"{usual_id(OWNER)} hooks.example.org"
    odd = replace(to_url, target=b"https://a b/")
    assert partition_of(odd) == usual_id(OWNER)


def test_each_receiver_gets_what_it_takes():
    listeners = [
        listener("end_1", rendering="slack"),
        listener("end_2", rendering="teams"),
        listener("end_3", rendering="email"),
        listener("end_4"),
    ]

    rows = deliveries_of(job(), listeners, LATER).deliveries

    keys = [set(json.loads(row.body)) for row in rows]
    assert keys == [
        {"text", "blocks"},
        {"type", "attachments"},
        {"subject", "text"},
        {"type", "timestamp", "data"},
    ]


class TestTelling:
    def test_deliveries_and_starts_are_written_with_the_end_of_the_job(
        self, database_url, make_database
    ):
        database, workflows = make_database(database_url), FakeWorkflows()
        ended = job(callback_url=HOOK.encode())

        with database.transaction() as connection:
            Telling(workflows, FakeClock()).tell(connection, ended)

        (usual,) = EndpointRows(database, FakeClock()).list(OWNER)
        (logged,) = DeliveryLog(database).of_endpoint(usual.id, OWNER, 10)
        assert usual.id == usual_id(OWNER)
        assert usual.target is None
        assert logged.state == "pending"
        assert [each.id for each in workflows.started] == [f"{logged.id}.1"]

    def test_nothing_is_written_where_nobody_listens(
        self, sqlite_database_url, make_database
    ):
        database, workflows = make_database(sqlite_database_url), FakeWorkflows()

        with database.transaction() as connection:
            Telling(workflows, FakeClock()).tell(connection, job())
            Telling(workflows, FakeClock()).tell(
                connection, job(state="cancelled", callback_url=HOOK.encode())
            )

        assert EndpointRows(database, FakeClock()).list(OWNER) == ()
        assert workflows.started == []
