"""All deployments together: reloads, the background, and how many are remembered."""

import pytest
from health_scene import UNKNOWN, USED, Scene, deployment

from flaskllm.core import errors
from flaskllm.llm.health import Obstacle, Standing
from flaskllm.llm.strategies.choices import Record
from flaskllm.llm.terms import Limits

FINGERPRINTS = {"a": "1", "b": "1"}


def two():
    return Scene(deployment("a"), deployment("b"))


def test_a_reload_keeps_what_did_not_change_and_forgets_what_did():
    scene = two()
    scene.health.retain(FINGERPRINTS, {"p": "1"})
    scene.open("a")
    scene.open("b")

    scene.health.retain(FINGERPRINTS | {"b": "2"}, {"p": "1"})

    assert scene.look("a").state == "open"
    assert scene.look("a").record != Record()
    assert scene.look("b") == Standing()


def test_a_reload_forgets_what_is_gone():
    scene = two()
    scene.health.retain(FINGERPRINTS, {})
    scene.open("b")

    scene.health.retain({"a": "1"}, {})

    assert scene.look("b") == Standing()


def test_the_first_call_forgets_nothing():
    scene = two()
    scene.open("a")

    scene.health.retain(FINGERPRINTS, {"p": "1"})

    assert scene.look("a").state == "open"


def test_a_reload_keeps_what_was_made_for_requests():
    scene = Scene(deployment("p/m"))
    scene.health.retain(FINGERPRINTS, {})
    scene.open("p/m")

    scene.health.retain(FINGERPRINTS | {"a": "2"}, {})

    assert scene.look("p/m").state == "open"


def test_an_attempt_of_before_the_reload_ends_in_peace():
    scene = two()
    scene.health.retain(FINGERPRINTS, {})
    visit = scene.visit("a")

    scene.health.retain({"a": "2"}, {})
    visit.first_token(0.1)
    visit.end(errors.LLMUnavailable(), UNKNOWN, 1.0)

    stood = scene.look("a")
    assert (stood.in_flight, stood.failures_in_a_row) == (0, 0)


def test_how_long_a_provider_was_idle_is_since_it_was_asked_last():
    scene = Scene(deployment("a"), deployment("b", "q"))
    assert scene.health.idle_seconds("p") is None
    scene.look("a")
    assert scene.health.idle_seconds("p") is None

    visit = scene.visit("a")
    scene.clock.advance(30.0)
    assert scene.health.idle_seconds("p") == 30.0
    visit.end(None, USED, 30.0)
    scene.clock.advance(7.0)

    assert scene.health.idle_seconds("p") == 7.0
    assert scene.health.idle_seconds("q") is None


@pytest.mark.parametrize("error", [errors.LLMUnavailable(), errors.LLMTimeout()])
def test_a_provider_that_is_found_down_opens_its_deployments(error):
    scene = Scene(deployment("a"), deployment("new"), deployment("b", "q"))
    scene.ask("a")
    scene.ask("b")

    scene.health.unreachable("p", error)

    assert scene.refused("a") == ("cooling", 5.0)
    assert scene.refused("new") == ("cooling", 5.0)
    assert scene.look("b").state == "closed"


@pytest.mark.parametrize(
    "error",
    [
        errors.LLMServerError(),
        errors.LLMProtocolError(),
        errors.LLMRequestRejected(),
        errors.LLMRateLimited(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_may_be_about_the_list_of_models_is_no_news(error):
    scene = Scene()
    scene.ask()

    scene.health.unreachable("p", error)

    assert scene.look().state == "closed"
    assert scene.look().obstacle is None


def test_found_down_again_it_stays_away_for_longer_but_is_not_put_off():
    scene = Scene()
    scene.ask()
    scene.health.unreachable("p", errors.LLMTimeout())
    scene.clock.advance(1.0)
    scene.health.unreachable("p", errors.LLMTimeout())
    assert scene.refused() == ("cooling", 4.0)

    scene.clock.advance(10.0)
    scene.health.unreachable("p", errors.LLMTimeout())

    assert scene.refused() == ("cooling", 10.0)


def test_a_provider_that_is_reached_again_may_be_probed_at_once():
    scene = Scene(deployment("a"), deployment("new"), deployment("b", "q"))
    scene.open("a")
    scene.open("b")
    scene.health.unreachable("p", errors.LLMTimeout())

    scene.health.reached("p")

    assert scene.look("a").state == "half_open"
    assert scene.look("new") == Standing()
    assert scene.look("b").state == "open"


def test_an_answer_tells_that_the_provider_is_there_for_all():
    scene = Scene(deployment("a"), deployment("new"))
    scene.ask("a")
    scene.health.unreachable("p", errors.LLMUnavailable())

    scene.ask("a", as_last_resort=True)

    assert scene.look("new") == Standing()


def test_a_rejected_credential_is_noticed_in_the_background_too():
    scene = two()

    scene.health.unreachable("p", errors.LLMCredentialRejected())
    scene.health.unreachable("p", errors.LLMCredentialRejected())

    assert scene.refused("a") == ("credential", 60.0)


def test_a_credential_that_may_not_list_models_may_be_good_for_others():
    scene = two()
    error = errors.LLMCredentialRejected()
    error.is_for_model = True

    scene.health.unreachable("p", error)

    scene.visit("a")


def test_names_that_callers_make_up_do_not_fill_the_memory():
    scene = Scene(deployment("kept"))
    scene.open("kept")
    busy = scene.visit("kept", as_last_resort=True)
    for number in range(3000):
        made = deployment(f"p/{number}")
        scene.clock.advance(0.001)
        scene.health.enter(made, "", tokens=1, streams=False).end(None, USED, 1.0)

    assert len(scene.health._states) <= 1000
    # What is under way is kept, however long ago it began.
    busy.end(None, USED, 3.0)
    assert scene.look("kept").answer_seconds == 3.0
    assert scene.health.look(deployment("p/2999")).answer_seconds == 1.0
    assert scene.health.look(deployment("p/0")).answer_seconds is None


def test_they_do_not_drive_out_what_is_known_of_the_settings_own():
    scene = Scene(deployment("a"))
    scene.health.retain({"a": "1"}, {})
    scene.open("a")
    for number in range(2000):
        made = deployment(f"p/{number}")
        scene.clock.advance(0.001)
        scene.health.enter(made, "", tokens=1, streams=False).end(None, USED, 1.0)

    assert scene.look("a").state == "open"


def test_it_knows_what_was_asked_or_looked_at():
    scene = two()
    assert not scene.health.knows("a")

    scene.look("a")

    assert scene.health.knows("a")
    assert not scene.health.knows("b")


def test_to_look_changes_nothing():
    scene = Scene(deployment(limits=Limits(requests_per_minute=1)))
    for _ in range(5):
        assert scene.look() == Standing()

    scene.visit()

    assert isinstance(scene.enter(), Obstacle)


WAITED_IN_VAIN = {
    "who left after ten seconds": (errors.CallerGone(), 10.0, True),
    "who left at once": (errors.CallerGone(), 9.9, False),
    "who was told nothing for so long": (errors.LLMTimeout(), 12.0, True),
}


@pytest.mark.parametrize(
    ("error", "seconds", "is_silent"), WAITED_IN_VAIN.values(), ids=WAITED_IN_VAIN
)
def test_a_provider_is_silent_after_somebody_waited_in_vain(error, seconds, is_silent):
    scene = two()

    scene.visit("a").end(error, UNKNOWN, seconds, is_callers_fault=True)

    assert scene.health.is_silent("p") == is_silent


def test_a_provider_that_is_heard_of_is_silent_no_more():
    scene = two()
    scene.visit("a").end(errors.CallerGone(), UNKNOWN, 30.0, is_callers_fault=True)

    visit = scene.visit("b")
    visit.heed({})
    visit.end(None, USED, 1.0)

    assert not scene.health.is_silent("p")


def test_a_provider_that_was_reached_is_silent_no_more():
    scene = two()
    scene.visit("a").end(errors.CallerGone(), UNKNOWN, 30.0, is_callers_fault=True)

    scene.health.reached("p")

    assert not scene.health.is_silent("p")
    assert not scene.health.is_silent("never asked")


def test_the_last_error_is_told_with_its_age_and_outlives_a_success():
    scene = Scene()
    before = scene.look().last_error_seconds_ago
    scene.fail()
    scene.clock.advance(4.0)
    scene.ask()

    told = scene.look()
    assert before is None
    assert (told.last_error, told.last_error_seconds_ago) == ("LLM_UNAVAILABLE", 4.0)
