"""Limits of principals: what they refuse, when to come back, and a store that fails."""

import pytest
from log_lines import ours

from flaskllm.core.auth import BOOTSTRAP, Principal, PrincipalLimits, Scope
from flaskllm.core.errors import InternalError, RateLimitExceeded, ServiceUnavailable
from flaskllm.core.sliding import Window
from flaskllm.core.windows import Windows
from flaskllm.services.limits import Limits, Standing


class FailingCounters(Windows):
    """A store that all share, which may be told to fail."""

    def __init__(self, clock, mirror):
        super().__init__(clock=clock)
        self.mirror = mirror
        self.error = None
        self.asked = 0

    def acquire_sliding_window_entry(self, key, limit, expiry, amount=1):
        self._ask()
        admitted = super().acquire_sliding_window_entry(key, limit, expiry, amount)
        self.mirror.put(key, expiry, self.window(key, expiry) or Window(0))
        return admitted

    def correct(self, key, expiry, amount, counted_at):
        self._ask()
        super().correct(key, expiry, amount, counted_at)
        self.mirror.put(key, expiry, self.window(key, expiry))

    def forget_expired(self):
        return 7

    def _ask(self):
        self.asked += 1
        if self.error is not None:
            raise self.error


class Scene:
    """Limits of one process, and what they count in."""

    def __init__(self, clock, *, shared):
        self.clock = clock
        self.local_counts = 0
        windows = Windows(clock=clock)
        self.store = FailingCounters(clock, windows) if shared else None
        self.limits = Limits(windows, self.store, clock, count_local=self.count)

    def count(self):
        self.local_counts += 1

    def admits(self, who, times=20):
        """Return how many of so many requests pass."""
        return sum(not self.refusal(who) for _ in range(times))

    def refusal(self, who, tokens=None):
        """Return the error of a request, or of a charge; None where there is none."""
        try:
            if tokens is None:
                self.limits.hit_request(who)
            else:
                self.limits.charge_tokens(who, tokens)
        except RateLimitExceeded as error:
            return error
        return None

    def left(self, who, kind="tokens"):
        return {each.kind: each.remaining for each in self.limits.standing(who)}[kind]


@pytest.fixture(params=[False, True], ids=["alone", "together"])
def scene(request, fake_clock):
    return Scene(fake_clock, shared=request.param)


@pytest.fixture
def together(fake_clock):
    return Scene(fake_clock, shared=True)


def principal(requests=None, tokens=None, name="p"):
    limits = PrincipalLimits(requests_per_minute=requests, tokens_per_minute=tokens)
    return Principal(name, name, frozenset({Scope.CHAT}), "api", limits=limits)


def test_so_many_requests_pass_in_a_minute(scene):
    assert scene.admits(principal(requests=5)) == 5
    assert scene.admits(principal(requests=5, name="other")) == 5


def test_a_refusal_tells_when_the_next_request_will_pass(scene, fake_clock):
    who = principal(requests=6)
    scene.admits(who)

    refused = scene.refusal(who)

    assert refused.retry_after_seconds == pytest.approx(60, abs=0.01)
    assert "6 requests a minute" in refused.details
    fake_clock.advance(59)
    assert scene.refusal(who)
    fake_clock.advance(refused.retry_after_seconds - 59)
    assert scene.refusal(who) is None


def test_who_has_no_limit_is_not_counted(together):
    assert together.admits(BOOTSTRAP) == 20
    assert together.limits.charge_tokens(BOOTSTRAP, 10**9)
    together.limits.correct_tokens(BOOTSTRAP, 5)

    assert together.store.asked == 0
    assert together.limits.standing(BOOTSTRAP) == ()


def test_requests_and_tokens_are_counted_apart(scene):
    who = principal(requests=2, tokens=100)

    scene.limits.charge_tokens(who, 100)

    assert scene.admits(who) == 2


def test_a_limit_that_is_changed_goes_on_with_the_same_count(scene):
    scene.admits(principal(requests=5))

    assert scene.admits(principal(requests=8)) == 3
    assert scene.admits(principal(requests=5)) == 0


def test_tokens_are_charged_as_planned(scene, fake_clock):
    who = principal(tokens=1000)
    scene.limits.charge_tokens(who, 900)

    refused = scene.refusal(who, 200)

    assert refused.retry_after_seconds == pytest.approx(60 + 60 / 9, abs=0.1)
    assert "1000 tokens a minute" in refused.details
    assert "200 are planned" in refused.details
    fake_clock.advance(refused.retry_after_seconds)
    assert scene.refusal(who, 200) is None


def test_more_tokens_than_the_whole_limit_are_told_no_time_to_come_back(scene):
    refused = scene.refusal(principal(tokens=1000), 1001)

    assert refused.retry_after_seconds is None
    assert "It can never be made" in refused.details


def test_what_was_not_used_is_given_back(scene):
    who = principal(tokens=1000)
    charged_at = scene.limits.charge_tokens(who, 900)

    scene.limits.correct_tokens(who, 120 - 900, charged_at)

    assert scene.left(who) == 880


def test_what_was_used_beyond_the_plan_counts_beyond_the_limit(scene):
    who = principal(tokens=1000)
    charged_at = scene.limits.charge_tokens(who, 900)

    scene.limits.correct_tokens(who, 600, charged_at)

    assert scene.left(who) == 0
    assert scene.refusal(who, 1)


def test_a_late_correction_takes_nothing_from_later_charges(scene, fake_clock):
    who = principal(tokens=1000)
    charged_at = scene.limits.charge_tokens(who, 900)
    fake_clock.advance(180)
    scene.limits.charge_tokens(who, 500)

    scene.limits.correct_tokens(who, -900, charged_at)

    assert scene.left(who) == 500


@pytest.mark.parametrize("tokens", [0, -1])
def test_nothing_costs_nothing(together, tokens):
    together.limits.charge_tokens(principal(tokens=1), tokens)
    together.limits.correct_tokens(principal(tokens=1), 0)

    assert together.store.asked == 0


def test_a_correction_without_a_moment_counts_now(scene):
    who = principal(tokens=1000)
    scene.limits.charge_tokens(who, 900)

    scene.limits.correct_tokens(who, -100)

    assert scene.left(who) == 200


def test_a_standing_tells_what_is_left_and_when_there_is_more(scene, fake_clock):
    who = principal(requests=10)
    fake_clock.advance(20)
    scene.admits(who, 4)

    (standing,) = scene.limits.standing(who)

    assert standing == Standing(
        "requests",
        10,
        6,
        more_seconds=pytest.approx(40, abs=0.01),
        full_seconds=pytest.approx(40 + 45, abs=0.01),
    )


def test_alone_nothing_counted_is_all_of_it_left(fake_clock):
    scene = Scene(fake_clock, shared=False)

    assert scene.limits.standing(principal(tokens=9)) == (
        Standing("tokens", 9, 9, 0.0, 0.0),
    )


def test_together_what_this_process_has_not_seen_it_does_not_tell(together):
    who = principal(requests=3, tokens=9)
    together.limits.hit_request(who)

    assert [each.kind for each in together.limits.standing(who)] == ["requests"]


def test_what_is_over_is_removed_from_the_store(together, fake_clock):
    assert together.limits.forget_expired() == 7
    assert Scene(fake_clock, shared=False).limits.forget_expired() == 0


FAILURES = [ServiceUnavailable(details="locked"), InternalError()]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: error.code)
def test_without_the_store_the_count_goes_on_from_where_it_was(together, error):
    who = principal(requests=10)
    assert together.admits(who, 7) == 7

    together.store.error = error

    assert together.admits(who) == 3
    assert together.local_counts == 20


def test_without_the_store_a_principal_gets_its_limit_from_this_process(together):
    together.store.error = FAILURES[0]

    assert together.admits(principal(requests=10)) == 10
    assert together.refusal(principal(tokens=10), 11)


def test_a_store_that_fails_is_asked_once_a_second(together, fake_clock):
    who = principal(requests=1000)
    together.store.error = FAILURES[0]

    for _ in range(40):
        together.limits.hit_request(who)
        fake_clock.advance(0.1)

    assert together.store.asked in (4, 5)


def test_a_store_that_answers_again_counts_again(together, fake_clock):
    who = principal(requests=10)
    together.store.error = FAILURES[0]
    together.admits(who, 4)
    together.store.error = None
    assert together.admits(who, 2) == 2  # still here: a second has not passed

    fake_clock.advance(1)

    assert together.admits(who) == 10
    assert together.local_counts == 6


def test_a_failure_and_its_end_are_each_logged_once(together, fake_clock, caplog):
    caplog.set_level("INFO")
    for error in (FAILURES[0], FAILURES[0], None, None):
        together.store.error = error
        together.limits.hit_request(principal(requests=1000))
        fake_clock.advance(1)

    assert [(line.message, line.levelname) for line in ours(caplog)] == [
        ("limits_counted_locally", "WARNING"),
        ("limits_counted_together", "INFO"),
    ]


def test_what_was_charged_here_is_not_given_back_to_the_store(together, fake_clock):
    who = principal(tokens=1000)
    together.store.error = FAILURES[0]
    charged_at = together.limits.charge_tokens(who, 400)
    together.store.error = None
    fake_clock.advance(1)
    together.limits.charge_tokens(who, 600)

    together.limits.correct_tokens(who, -400, charged_at)

    assert together.left(who) == 400


def test_one_thread_at_a_time_asks_a_store_that_fails(together, fake_clock):
    """Others count here meanwhile: it may take seconds to fail."""
    who = principal(requests=1000)
    together.store.error = FAILURES[0]
    together.limits.hit_request(who)
    fake_clock.advance(1)
    asked = []

    def ask():
        asked.append(together.store.asked)
        together.store._ask = lambda: None
        together.limits.hit_request(who)  # comes while the first one waits
        raise FAILURES[0]

    together.store._ask = ask
    together.limits.hit_request(who)

    assert asked == [1]
    assert together.local_counts == 3


def test_who_asked_and_never_came_back_does_not_keep_others_from_it(
    together, fake_clock
):
    who = principal(requests=1000)
    together.store.error = FAILURES[0]
    together.limits.hit_request(who)
    fake_clock.advance(1)
    together.store.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        together.limits.hit_request(who)
    together.store.error = None

    fake_clock.advance(59)
    together.limits.hit_request(who)
    assert together.local_counts == 2
    fake_clock.advance(1)
    together.limits.hit_request(who)

    assert together.local_counts == 2
