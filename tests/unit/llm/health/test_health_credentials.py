"""What follows when an upstream does not accept our credential."""

from random import Random

import pytest
from health_scene import UNKNOWN, USED, Scene, deployment

from flaskllm.core.errors import LLMCredentialRejected, LLMUnavailable
from flaskllm.llm.health import Obstacle, Policy
from flaskllm.llm.health.deployment_health import DeploymentHealth
from flaskllm.llm.health.provider_health import ProviderHealth
from flaskllm.llm.health.seats import Asking, Seat


def forbidden():
    error = LLMCredentialRejected()
    error.is_for_model = True
    return error


@pytest.fixture
def scene():
    return Scene(deployment("a"), deployment("b"), deployment("other", "q"))


def test_it_is_out_for_all_deployments_of_its_provider(scene):
    scene.fail("a", error=LLMCredentialRejected())

    assert scene.refused("a") == ("credential", 60.0)
    assert scene.refused("b", as_last_resort=True) == ("credential", 60.0)
    assert scene.look("b").obstacle.reason == "credential"
    assert scene.look("a").state == "closed"
    scene.visit("other")


def test_one_that_may_not_use_a_model_is_out_for_that_deployment(scene):
    scene.fail("a", error=forbidden())

    assert scene.refused("a") == ("credential", 60.0)
    scene.visit("b")


@pytest.mark.parametrize("error", [LLMCredentialRejected(), forbidden()])
def test_once_a_minute_one_attempt_tries_it(scene, error):
    scene.fail("a", error=error)
    scene.clock.advance(60.0)
    assert scene.look("a").obstacle is None

    scene.visit("a")

    assert scene.refused("a") == ("credential", 60.0)


def test_of_all_deployments_of_the_provider_one_tries_it(scene):
    scene.fail("a", error=LLMCredentialRejected())
    scene.clock.advance(60.0)

    scene.visit("b")

    assert scene.refused("a") == ("credential", 60.0)


@pytest.mark.parametrize("error", [LLMCredentialRejected(), forbidden()])
def test_it_is_back_with_an_answer(scene, error):
    scene.fail("a", error=error)
    scene.clock.advance(60.0)

    scene.ask("a")

    scene.visit("a")
    scene.visit("b")


@pytest.mark.parametrize("error", [LLMCredentialRejected(), forbidden()])
def test_it_is_back_with_a_first_token(scene, error):
    scene.fail("a", error=error)
    scene.clock.advance(60.0)

    scene.visit("a", streams=True).first_token(0.1)

    scene.visit("a")


@pytest.mark.parametrize("error", [LLMCredentialRejected(), forbidden()])
def test_it_stays_out_when_it_is_rejected_again(scene, error):
    scene.fail("a", error=error)
    scene.clock.advance(90.0)

    scene.fail("a", error=error)

    assert scene.refused("a") == ("credential", 60.0)


def test_it_stays_out_when_the_attempt_fails_otherwise(scene):
    scene.fail("a", error=LLMCredentialRejected())
    scene.clock.advance(60.0)

    scene.fail("a", error=LLMUnavailable())

    assert scene.refused("a") == ("credential", 60.0)


def test_an_answer_from_before_it_was_rejected_does_not_bring_it_back(scene):
    early = scene.visit("b")
    scene.fail("a", error=LLMCredentialRejected())

    early.end(None, USED, 9.0)

    assert scene.refused("b") == ("credential", 60.0)


@pytest.mark.parametrize("error", [LLMCredentialRejected(), forbidden()])
def test_a_late_rejection_from_before_does_not_take_it_out_again(scene, error):
    early = scene.visit("a")
    scene.fail("a", error=error)
    scene.clock.advance(60.0)
    scene.ask("a")

    early.end(error, UNKNOWN, 61.0)

    scene.visit("a")


def test_who_comes_a_moment_too_late_does_not_try_it_as_well():
    """Between looking and using, another deployment may have taken the turn."""

    class Tried(ProviderHealth):
        def left_seconds(self, now_seconds):
            return 0.0

    provider = Tried(Policy())
    provider.reject(LLMCredentialRejected(), 100.0)
    states = [
        DeploymentHealth(each, provider, Policy(), Random(1))
        for each in (deployment("a"), deployment("b"))
    ]

    first, second = [each.enter(Asking(1, False), None, 160.0) for each in states]

    assert isinstance(first, Seat)
    assert second == Obstacle("credential", 60.0)
    assert states[1].is_idle


def test_two_rejections_at_the_same_time_are_one(scene):
    first, second = scene.visit("a"), scene.visit("a")
    first.end(LLMCredentialRejected(), UNKNOWN, 1.0)
    scene.clock.advance(10.0)

    second.end(LLMCredentialRejected(), UNKNOWN, 11.0)

    assert scene.refused("a") == ("credential", 50.0)


def test_a_list_of_models_lets_one_attempt_try_it_and_proves_no_more(scene):
    scene.fail("a", error=LLMCredentialRejected())
    scene.clock.advance(10.0)

    scene.health.reached("p")

    first = scene.visit("a")
    assert scene.refused("b") == ("credential", 60.0)
    first.end(None, USED, 1.0)
    scene.visit("b")


def test_a_list_of_models_changes_nothing_about_a_good_one(scene):
    scene.health.reached("p")

    scene.visit("a")
    scene.visit("b")


def test_after_a_reload_a_rejected_credential_is_tried_again(scene):
    scene.health.retain({}, {"p": "1", "q": "1"})
    scene.fail("a", error=LLMCredentialRejected())
    assert scene.refused("a")[0] == "credential"

    scene.health.retain({}, {"p": "1", "q": "1"})

    scene.visit("a")


def test_a_new_credential_may_use_what_the_old_one_might_not(scene):
    scene.health.retain({}, {"p": "1"})
    scene.fail("a", error=forbidden())

    scene.health.retain({}, {"p": "1"})

    scene.visit("a")


def test_what_is_still_asked_with_the_old_one_says_nothing_about_the_new(scene):
    scene.health.retain({}, {"p": "1"})
    early = scene.visit("a")

    scene.health.retain({}, {"p": "1"})

    early.end(LLMCredentialRejected(), UNKNOWN, 1.0)
    scene.visit("a")
