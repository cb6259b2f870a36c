"""What the operator reads: a line for each change and no request, and metrics."""

import logging
from random import Random

import pytest
from fakes import FakeClock
from health_scene import UNKNOWN, Scene, deployment
from prometheus_client.parser import text_string_to_metric_families

from flaskllm.core.errors import (
    LLMCredentialRejected,
    LLMRateLimited,
    LLMTimeout,
    LLMUnavailable,
)
from flaskllm.llm.health import Health, Standing
from flaskllm.llm.types import Deployment


@pytest.fixture
def lines(caplog):
    """Return what was logged: level, event and facts."""
    caplog.set_level(logging.DEBUG, logger="flaskllm.llm.health")
    return lambda: [
        (record.levelname, record.getMessage(), record.fields)
        for record in caplog.records
    ]


def values(scene, name):
    families = text_string_to_metric_families(scene.metrics.render().decode())
    return {
        sample.labels["deployment"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == f"flaskllm_{name}"
    }


def test_a_breaker_says_once_that_it_opened_and_once_that_it_closed(lines):
    scene = Scene()
    scene.open()
    for _ in range(3):
        scene.enter()
        scene.clock.advance(30.0)
        scene.fail(error=LLMTimeout())
    scene.clock.advance(30.0)

    scene.ask()
    scene.ask()

    whose = {"provider": "p", "deployment": "a"}
    assert lines() == [
        (
            "WARNING",
            "deployment_opened",
            whose | {"code": "LLM_UNAVAILABLE", "seconds": 5.0},
        ),
        ("INFO", "deployment_closed", whose),
    ]


def test_a_credential_says_once_that_it_was_rejected_and_once_that_it_is_back(lines):
    scene = Scene(deployment("a"), deployment("b"))
    scene.fail("a", error=LLMCredentialRejected())
    for _ in range(3):
        scene.clock.advance(60.0)
        scene.fail("b", error=LLMCredentialRejected())
    scene.clock.advance(60.0)

    scene.ask("b")
    scene.ask("b")

    facts = {"provider": "p", "code": "LLM_CREDENTIAL_REJECTED", "seconds": 60.0}
    assert lines() == [
        ("ERROR", "credential_rejected", facts),
        ("INFO", "credential_accepted", {"provider": "p"}),
    ]


def test_one_that_is_out_for_a_single_deployment_names_it(lines):
    scene = Scene()
    error = LLMCredentialRejected()
    error.is_for_model = True
    scene.fail(error=error)
    scene.clock.advance(60.0)

    scene.ask()

    (_, rejected, facts), (_, accepted, same) = lines()
    assert (rejected, accepted) == ("credential_rejected", "credential_accepted")
    assert facts["deployment"] == same["deployment"] == "a"


def test_what_the_background_finds_is_said_too(lines):
    scene = Scene()
    scene.ask()
    scene.health.unreachable("p", LLMCredentialRejected())
    scene.health.unreachable("p", LLMUnavailable())
    scene.health.unreachable("p", LLMUnavailable())

    assert [name for _, name, _ in lines()] == [
        "credential_rejected",
        "deployment_opened",
    ]


def test_requests_and_limits_are_not_logged(lines):
    scene = Scene()
    scene.ask()
    scene.fail(times=4)
    scene.fail(error=LLMRateLimited())
    scene.enter()

    assert lines() == []


def test_the_state_of_a_breaker_is_a_gauge():
    scene = Scene()
    scene.open()
    assert values(scene, "breaker_state") == {"a": 2}

    scene.clock.advance(5.0)
    probe = scene.visit()
    assert values(scene, "breaker_state") == {"a": 1}
    probe.end(LLMUnavailable(), UNKNOWN, 1.0)
    assert values(scene, "breaker_state") == {"a": 2}
    scene.clock.advance(10.0)
    scene.ask()

    assert values(scene, "breaker_state") == {"a": 0}
    assert values(scene, "breaker_openings_total") == {"a": 1}


def test_a_deployment_that_a_reload_forgets_is_closed():
    scene = Scene(deployment("a"), deployment("b"))
    scene.health.retain({"a": "1", "b": "1"}, {})
    scene.open("a")

    scene.health.retain({"a": "2", "b": "2"}, {})

    assert values(scene, "breaker_state") == {"a": 0}


def test_waits_and_refused_repeats_are_counted():
    scene = Scene()
    for _ in range(4):
        scene.enter(is_repeat=True)
    scene.fail(error=LLMRateLimited())
    # That it is limited is another reason.
    scene.enter(is_repeat=True)

    assert values(scene, "repeats_refused_total") == {"a": 1}
    assert values(scene, "told_to_wait_total") == {"a": 1}


def test_what_nobody_described_shares_one_label():
    scene = Scene()
    for number in range(3):
        made = Deployment(f"p/m{number}", "p", "openai", f"m{number}")
        for _ in range(5):
            visit = scene.health.enter(made, "", tokens=1, streams=False)
            visit.end(LLMUnavailable(), UNKNOWN, 1.0)

    assert values(scene, "breaker_openings_total") == {"p/*": 3}


def test_it_works_without_metrics():
    health = Health(FakeClock(), Random(1))
    health.retain({"a": "1"}, {})
    health.enter(deployment(), "r", tokens=1, streams=False)
    for _ in range(5):
        health.enter(deployment(), "r", tokens=1, streams=False, is_repeat=True)

    health.retain({"a": "2"}, {})

    assert health.look(deployment(), "r") == Standing()
