"""What one process finds the others know."""

import pytest
from fleet_scene import PROVIDERS, A, B, Member, Shared
from health_scene import UNKNOWN, Middle, deployment

from flaskllm.core.errors import (
    LLMCredentialRejected,
    LLMRateLimited,
    LLMServerError,
    LLMUnavailable,
)
from flaskllm.core.findings import Finding
from flaskllm.llm.health import Health, Visit


@pytest.fixture
def shared():
    return Shared()


@pytest.fixture
def here(shared):
    return Member(shared)


@pytest.fixture
def there(shared):
    return Member(shared)


def test_a_breaker_that_opens_here_is_open_there(here, there):
    there.health.look(A)

    here.fail(A)

    assert there.stands(A) == ("open", "cooling", 5.0)
    assert there.health.look(A).told_by == here.name
    assert here.health.look(A).told_by == ""


def test_also_where_nobody_asked_it_yet(shared, here, there):
    here.fail(A)
    shared.clock.advance(2.0)

    assert there.stands(A) == ("open", "cooling", 3.0)


def test_whoever_was_away_for_longer_finds_it_half_open(shared, here, there):
    here.fail(A)
    shared.clock.advance(8.0)

    assert there.stands(A)[0] == "half_open"


def test_the_gauge_shows_it_and_the_opening_is_counted_once(here, there):
    there.health.look(A)
    here.fail(A)

    told = there.metrics.render().decode()
    assert 'flaskllm_breaker_state{deployment="a"} 2.0' in told
    assert 'openings_total{deployment="a"}' not in told


def test_a_probe_that_succeeds_here_closes_it_there(shared, here, there):
    there.health.look(A)
    here.fail(A)
    shared.clock.advance(5.0)
    here.ask(A)

    assert there.stands(A) == ("closed", None, None)
    assert there.health.look(A).told_by == ""


def test_one_of_all_processes_probes(shared, here, there):
    there.health.look(A)
    here.fail(A)
    shared.clock.advance(5.0)
    probe = here.enter(A)

    refused = there.enter(A)

    assert isinstance(probe, Visit)
    assert (refused.reason, refused.is_probed) == ("cooling", True)
    assert there.stands(A)[1] == "cooling"  # and the next look need not ask
    asked = shared.asked.total()
    there.enter(A)
    assert shared.asked.total() == asked


def test_a_probe_that_never_ends_is_joined_by_another(shared, here, there):
    there.health.look(A)
    here.fail(A)
    shared.clock.advance(5.0)
    here.enter(A)
    shared.clock.advance(11.0)

    assert isinstance(there.enter(A), Visit)


def test_it_opens_for_longer_when_it_opened_elsewhere_before(shared, here, there):
    there.health.look(A)
    here.fail(A)
    shared.clock.advance(5.0)
    there.fail(A, 1)

    assert there.stands(A)[2] == pytest.approx(10.0)
    assert here.stands(A)[2] == pytest.approx(10.0)


def test_an_attempt_that_began_before_it_was_heard_changes_nothing(here, there):
    late = there.enter(A)
    here.fail(A)
    late.end(None, UNKNOWN, 1.0)

    assert there.stands(A)[0] == "open"


def test_an_upstream_that_asks_one_for_patience_is_left_by_all(here, there):
    there.health.look(A)
    here.ask(A, LLMRateLimited(retry_after_seconds=30.0))

    assert there.stands(A) == ("closed", "limited", 30.0)
    assert there.health.look(A).told_by == here.name


def test_a_pause_without_a_time_grows_for_all(shared, here, there):
    there.health.look(A)
    here.ask(A, LLMRateLimited())
    shared.clock.advance(1.0)
    there.ask(A, LLMRateLimited())

    assert here.stands(A)[2] == pytest.approx(2.0)


def test_a_rejected_credential_is_out_for_all_of_its_provider(here, there):
    there.health.look(B)
    here.ask(A, LLMCredentialRejected())

    assert there.stands(B) == ("closed", "credential", 60.0)
    assert there.health.look(B).told_by == here.name


def test_one_that_is_for_a_model_is_out_there_alone(here, there):
    there.health.look(A)
    error = LLMCredentialRejected()
    error.is_for_model = True
    here.ask(A, error)

    assert there.stands(A)[1] == "credential"
    assert there.stands(B)[1] is None


def test_it_is_good_again_for_all(shared, here, there):
    there.health.look(A)
    here.ask(A, LLMCredentialRejected())
    shared.clock.advance(60.0)
    here.ask(A)

    assert there.stands(A) == ("closed", None, None)


def test_a_provider_that_cannot_be_reached_is_down_for_all(here, there):
    there.health.look(A)

    here.health.unreachable("p", LLMUnavailable())

    assert there.stands(A)[0] == "open"
    assert there.stands(B)[0] == "open"  # though nobody asked it yet


def test_one_that_is_reached_is_due_for_all(here, there):
    there.health.look(A)
    here.health.unreachable("p", LLMUnavailable())

    here.health.reached("p")

    assert there.stands(A)[0] == "half_open"


def test_a_provider_nobody_knew_is_known_by_what_was_heard(shared, here):
    late = Member(shared)
    here.health.unreachable("p", LLMUnavailable())

    assert late.stands(A)[0] == "open"


def test_to_reach_what_is_well_is_no_news(shared, here, there):
    here.health.look(A)
    told = []
    there.health.hear = told.append

    here.health.reached("p")

    assert told == []


def test_a_fault_at_one_request_is_no_news(here, there):
    there.health.look(A)
    here.fail(A, 4, LLMServerError())

    assert there.stands(A) == ("closed", None, None)


def test_an_operator_decides_all_the_same(here, there):
    there.health.look(A)
    there.health.override({"a": "closed"})
    here.fail(A)

    assert isinstance(there.enter(A), Visit)


@pytest.mark.parametrize(
    ("kind", "longest"), [("breaker", 20.0), ("pause", 60.0), ("credential", 60.0)]
)
def test_nobody_is_believed_for_longer_than_oneself(here, kind, longest):
    here.health.look(A)
    subject = "name of deployment 1 a"
    here.health.hear([Finding(subject, kind, 3600.0, "X", 1, "a wrong clock")])

    assert here.stands(A)[2] == longest


def test_who_has_other_settings_is_not_meant(shared, here):
    other = Member(shared, {"a": "2"}, {"p": "1"})
    other.health.look(A)
    here.fail(A)

    assert other.stands(A) == ("closed", None, None)


def test_what_was_heard_of_other_settings_is_not_inherited(here, there):
    there.health.look(A)
    here.fail(A)
    there.health.retain({"a": "2", "b": "1"}, PROVIDERS)

    assert there.stands(A) == ("closed", None, None)


def test_deployments_that_were_listed_are_shared_by_their_provider(here, there):
    listed = deployment("p/m-1")
    there.health.look(listed)
    here.fail(listed)

    assert there.stands(listed)[0] == "open"


def test_what_was_heard_long_ago_is_forgotten(shared, here, there):
    here.fail(A)
    shared.clock.advance(601.0)
    here.fail(B)

    assert there.stands(A) == ("closed", None, None)


def test_who_shares_nothing_hears_nothing(shared):
    alone = Health(shared.clock, Middle())
    alone.hear([Finding("name of deployment 1 a", "breaker", 5.0)])

    assert alone.look(A).obstacle is None
