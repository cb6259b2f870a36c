"""Deliveries are shown to their owners, sent again by hand, and forgotten."""

from datetime import timedelta

import pytest
from callback_scene import (
    HOOK,
    NOW,
    OWNER,
    job,
)
from delivery_scene import NOTED
from sqlalchemy import select

from flaskllm.core.errors import Conflict, JobsDisabled, NotFound
from flaskllm.core.paging import Place
from flaskllm.services.callbacks.planning import usual_endpoint
from flaskllm.services.callbacks.signing import make_secret
from flaskllm.storage.tables import deliveries, delivery_attempts


class TestShowing:
    def test_the_log_of_a_job_has_all_attempts_and_no_content(self, each_scene):
        scene = each_scene
        scene.store_job()
        scene.add_endpoint()
        (id,) = scene.tell()
        scene.way.answers = [500]
        scene.attempt_all(id)

        (report,) = scene.deliveries.of_job("job_1", OWNER)

        assert report.id == id
        assert [each.status for each in report.attempts] == [500, 200]
        assert "SECRET" not in repr(report)

    def test_a_job_of_another_reads_as_none(self, scene):
        scene.store_job()

        for id, principal in (
            ("job_1", "other"),
            ("job_2", OWNER),
            ("job_\x00", OWNER),
        ):
            with pytest.raises(NotFound, match=r"Job with id .* not found"):
                scene.deliveries.of_job(id, principal)

    def test_a_delivery_of_another_reads_as_none(self, scene):
        scene.add_endpoint()
        (id,) = scene.tell()

        for each, principal in ((id, "other"), ("msg_2", OWNER), ("x", OWNER)):
            with pytest.raises(NotFound, match=r"Delivery with id .* not found"):
                scene.deliveries.find(each, principal)
            with pytest.raises(NotFound, match=r"Delivery with id .* not found"):
                scene.deliveries.replay(each, principal)

    def test_pages_of_an_endpoint_go_from_the_latest_to_the_oldest(self, each_scene):
        scene = each_scene
        scene.add_endpoint()
        ids = []
        for _ in range(3):
            ids += scene.tell()
            scene.clock.advance(1)

        first = scene.deliveries.of_endpoint("end_1", OWNER, 2)
        second = scene.deliveries.of_endpoint("end_1", OWNER, 2, first[-1].place())

        assert [each.id for each in (*first, *second)] == ids[::-1]
        assert first[0].place() == Place(first[0].created_at, first[0].id)


class TestReplay:
    def test_what_was_delivered_is_sent_again_under_its_id(self, each_scene):
        scene = each_scene
        scene.add_endpoint()
        (id,) = scene.tell()
        scene.deliveries.attempt(id, 1)

        report = scene.deliveries.replay(id, OWNER)

        start = scene.workflows.started[-1]
        assert report.state == "pending"
        assert start.arguments == (id, 2)
        assert start.id.startswith(f"{id}.2.")
        assert start.delay_seconds is None
        scene.deliveries.attempt(id, 2)
        assert scene.find(id).state == "delivered"
        assert {headers["webhook-id"] for _, headers, _ in scene.way.sent} == {id}

    def test_after_the_whole_schedule_a_replay_is_one_attempt(self, scene):
        usual = usual_endpoint(OWNER, make_secret(), NOW)
        scene.endpoints.ensure(usual, NOTED)
        (id,) = scene.tell(job(callback_url=HOOK.encode()))
        scene.way.answers = [500] * 11
        scene.attempt_all(id)

        scene.deliveries.replay(id, OWNER)
        scene.deliveries.attempt(id, 11)

        found = scene.find(id)
        assert (found.state, len(found.attempts)) == ("failed", 11)

    def test_what_has_not_ended_is_not_replayed_unless_it_was_lost(self, scene):
        scene.add_endpoint()
        (id,) = scene.tell()

        with pytest.raises(Conflict):
            scene.deliveries.replay(id, OWNER)
        scene.clock.advance(3600)

        assert scene.deliveries.replay(id, OWNER).next_at == scene.clock.now()

    def test_one_whose_endpoint_is_gone_is_not_replayed(self, scene):
        row = scene.add_endpoint()
        (id,) = scene.tell()
        scene.deliveries.attempt(id, 1)
        scene.endpoints.remove(row.id, OWNER, NOTED)

        with pytest.raises(Conflict):
            scene.deliveries.replay(id, OWNER)

    def test_nothing_is_replayed_where_jobs_are_off(self, scene):
        with pytest.raises(JobsDisabled):
            scene.make(None, sends=False).replay("msg_1", OWNER)


def test_what_has_expired_is_removed_with_its_attempts_and_workflows(each_scene):
    scene = each_scene
    scene.add_endpoint()
    (old,) = scene.tell(job(expires_at=NOW))
    (new,) = scene.tell(job(expires_at=NOW + timedelta(days=30_000)))
    scene.deliveries.attempt(old, 1)

    assert scene.deliveries.forget_expired() == 1

    with scene.database.reading() as connection:
        left = connection.execute(select(deliveries.c.id)).scalars().all()
        attempts = connection.execute(select(delivery_attempts)).all()
    assert left == [new]
    assert attempts == []
    assert scene.workflows.deleted == [old]


def test_where_nothing_has_expired_no_workflows_are_asked_for(scene):
    scene.add_endpoint()
    scene.tell()
    prepared = scene.workflows.prepared

    assert scene.deliveries.forget_expired() == 0
    assert scene.workflows.prepared == prepared
