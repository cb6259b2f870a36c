"""Endpoints that are gone, dead or removed, and what becomes of their messages."""

import json
import logging

import pytest
from callback_scene import (
    HOOK,
    NOW,
    OWNER,
    job,
)
from delivery_scene import NOTED
from log_lines import ours

from flaskllm.services.callbacks.planning import usual_endpoint
from flaskllm.services.callbacks.signing import make_secret


class TestDisabling:
    def test_410_disables_an_endpoint_at_once(self, each_scene):
        scene = each_scene
        scene.add_endpoint()
        waiting, id = scene.tell()[0], scene.tell()[0]
        scene.way.answers = [410]

        scene.deliveries.attempt(id, 1)

        row = scene.state()
        assert row.state == "disabled"
        assert row.failing_since == scene.find(id).attempts[0].at
        assert "410" in row.disabled_reason
        assert scene.find(id).state == "failed"
        assert scene.find(waiting).state == "cancelled"
        ((object_id, details),) = scene.audited("endpoint.disable")
        assert object_id == "end_1"
        assert details["host"] == "hooks.example.org"
        assert "SECRET" not in json.dumps(details)

    def test_the_others_of_the_owner_are_told_if_they_listen(self, each_scene):
        scene = each_scene
        events = "endpoint.disabled"
        scene.add_endpoint()
        (id,) = scene.tell()
        scene.add_endpoint(id="end_2", events=events, rendering="slack")
        scene.add_endpoint(id="end_3", events=events, state="disabled")
        scene.add_endpoint(id="end_4", events=events, principal_id="other00000x0")
        scene.way.answers = [410]

        scene.deliveries.attempt(id, 1)

        (told,) = scene.deliveries.of_endpoint("end_2", OWNER, 10)
        assert told.event == "endpoint.disabled"
        assert scene.workflows.started[-1].arguments == (told.id, 1)
        assert scene.deliveries.of_endpoint("end_3", OWNER, 10) == ()
        assert scene.deliveries.of_endpoint("end_4", "other00000x0", 10) == ()

    def test_a_whole_schedule_without_a_success_disables(self, scene, caplog):
        scene.add_endpoint()
        (id,) = scene.tell()
        scene.way.answers = [500] * 10
        scene.way.pause = lambda: scene.clock.advance(15)

        with caplog.at_level(logging.INFO):
            scene.attempt_all(id)

        assert scene.state().state == "disabled"
        names = [record.getMessage() for record in ours(caplog)]
        assert names[-2:] == ["delivery_given_up", "endpoint_disabled"]
        assert "SECRET" not in caplog.text

    def test_a_success_of_another_delivery_in_between_keeps_it(self, scene):
        scene.add_endpoint()
        (id,) = scene.tell()
        scene.way.answers = [500] * 4
        for number in range(1, 5):
            scene.clock.advance(10)
            scene.deliveries.attempt(id, number)
        (other,) = scene.tell()
        scene.deliveries.attempt(other, 1)
        scene.way.answers = [500] * 6

        for number in range(5, 11):
            scene.clock.advance(10)
            scene.deliveries.attempt(id, number)

        assert scene.find(id).state == "failed"
        assert scene.state().state == "enabled"
        assert scene.state().failing_since is not None

    @pytest.mark.parametrize("answers", [[410], [500] * 10])
    def test_an_address_of_a_request_disables_nothing(self, scene, answers):
        usual = usual_endpoint(OWNER, make_secret(), NOW)
        scene.endpoints.ensure(usual, NOTED)
        (id,) = scene.tell(job(callback_url=HOOK.encode()))
        scene.way.answers = list(answers)

        scene.attempt_all(id)

        assert scene.find(id).state == "failed"
        assert len(scene.way.sent) == len(answers)
        row = scene.state(usual.id)
        assert (row.state, row.failing_since) == ("enabled", None)

    @pytest.mark.parametrize("how", ["disabled", "removed", "removed while sent"])
    def test_what_waits_for_one_that_is_gone_is_cancelled(self, each_scene, how):
        scene = each_scene
        row = scene.add_endpoint()
        (id,) = scene.tell()
        if how == "disabled":
            scene.disable()
        elif how == "removed":
            scene.endpoints.remove(row.id, OWNER, NOTED)
        else:
            post = scene.way.post

            def remove_and_post(*arguments):
                scene.endpoints.remove(row.id, OWNER, NOTED)
                return post(*arguments)

            scene.way.post = remove_and_post

        scene.deliveries.attempt(id, 1)

        assert scene.find(id).state == "cancelled"
        assert len(scene.workflows.started) == 1
        assert len(scene.way.sent) == (how == "removed while sent")
