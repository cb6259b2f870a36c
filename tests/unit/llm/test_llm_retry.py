from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.errors import (
    BudgetExceeded,
    CallerGone,
    LLMContextTooLong,
    LLMCredentialRejected,
    LLMInvalidRequest,
    LLMProtocolError,
    LLMRateLimited,
    LLMRefused,
    LLMRequestRejected,
    LLMTimeout,
    LLMUnavailable,
    NoModelConfigured,
)
from flaskllm.llm.retry import (
    Failure,
    Fallback,
    GiveUp,
    History,
    Policy,
    Retry,
    backoff_seconds,
    decide,
    hint_seconds,
    telling,
)

POLICY = Policy(retries=2, base_seconds=0.5, cap_seconds=8.0, hint_seconds=5.0)
NOW = 100.0


def history(
    *failures, untried=(), remaining=60.0, draw=0.5, objections=(), windows=None
):
    """Build a history of (deployment, error) pairs, each a second after the last."""
    first = NOW - len(failures) + 1
    return History(
        tuple(
            Failure(name, error, first + i) for i, (name, error) in enumerate(failures)
        ),
        untried,
        NOW,
        remaining,
        draw,
        objections,
        windows or {},
    )


PASSING = [LLMUnavailable(), LLMTimeout(), LLMProtocolError(), LLMRateLimited()]
LASTING = [
    LLMRequestRejected(),
    LLMCredentialRejected(),
    LLMContextTooLong(),
    NoModelConfigured(),
]
FINAL = [LLMRefused(), LLMInvalidRequest(), CallerGone(), BudgetExceeded()]


def by_code(error):
    return error.code


@pytest.mark.parametrize("error", PASSING + LASTING, ids=by_code)
def test_another_candidate_is_asked_at_once(error):
    past = history(("a", error), untried=("b", "c"))

    assert decide(error, past, POLICY) == Fallback("b")


@pytest.mark.parametrize("error", PASSING, ids=by_code)
def test_a_passing_error_is_retried_after_the_backoff_when_nothing_else_is_left(error):
    assert decide(error, history(("a", error)), POLICY) == Retry("a", 0.25)


@pytest.mark.parametrize("error", LASTING, ids=by_code)
def test_a_lasting_error_is_never_retried(error):
    assert decide(error, history(("a", error)), POLICY) == GiveUp(error)


@pytest.mark.parametrize("error", FINAL, ids=by_code)
def test_what_no_other_deployment_can_mend_ends_the_request(error):
    past = history(("a", error), untried=("b",))

    assert decide(error, past, POLICY) == GiveUp(error)


def test_at_most_two_retries_are_made_in_a_request():
    errors = [LLMUnavailable(details=str(number)) for number in range(4)]
    pairs = [("a", error) for error in errors]

    decisions = [
        decide(errors[made - 1], history(*pairs[:made]), POLICY) for made in (1, 2, 3)
    ]

    assert decisions == [Retry("a", 0.25), Retry("a", 0.5), GiveUp(errors[2])]


def test_first_attempts_elsewhere_do_not_use_up_the_retries():
    error = LLMUnavailable()
    past = history(*[(name, error) for name in "abcdef"])

    assert decide(error, past, POLICY) == Retry("a", 0.25)


def test_retries_go_round_the_deployments_with_passing_errors():
    down, rejected = LLMUnavailable(), LLMRequestRejected()
    past = history(("a", down), ("b", rejected), ("c", down), ("a", down))

    assert decide(down, past, POLICY) == Retry("c", 0.5)


def test_a_lasting_error_at_the_end_does_not_hide_a_deployment_that_may_recover():
    past = history(("a", LLMUnavailable()), ("b", LLMCredentialRejected()))

    decision = decide(past.failures[-1].error, past, POLICY)

    assert decision == Retry("a", 0.25)


RETRY_AFTER = {
    "longer than the backoff": (2.0, 60.0, Retry("a", 2.0)),
    "shorter than the backoff": (0.1, 60.0, Retry("a", 0.25)),
    "just within the deadline": (59.5, 60.0, Retry("a", 59.5)),
    "as long as the deadline": (60.0, 60.0, None),
    "beyond the deadline": (3600.0, 60.0, None),
}


@pytest.mark.parametrize(
    ("asked", "remaining", "expected"), RETRY_AFTER.values(), ids=RETRY_AFTER
)
def test_retry_after_is_honoured_when_it_fits_the_deadline(asked, remaining, expected):
    error = LLMRateLimited(retry_after_seconds=asked)

    decision = decide(error, history(("a", error), remaining=remaining), POLICY)

    assert decision == (expected or GiveUp(error))


def test_time_that_has_passed_since_the_error_counts_as_waited():
    limited = LLMRateLimited(retry_after_seconds=3.0)
    past = history(("a", limited), ("b", LLMRequestRejected()))

    decision = decide(past.failures[-1].error, past, POLICY)

    assert decision == Retry("a", 2.0)


def test_the_deployment_that_is_ready_first_is_retried():
    limited, down = LLMRateLimited(retry_after_seconds=30.0), LLMUnavailable()

    decision = decide(down, history(("a", limited), ("b", down)), POLICY)

    assert decision == Retry("b", 0.25)


def test_a_wait_that_does_not_fit_the_deadline_is_not_begun():
    error = LLMUnavailable()

    decision = decide(error, history(("a", error), remaining=0.2), POLICY)

    assert decision == GiveUp(error)


def test_after_the_deadline_the_error_is_a_timeout_that_tells_what_came_before():
    error = LLMUnavailable()
    past = history(("a", error), ("b", error), remaining=0.0)

    decision = decide(error, past, POLICY)

    assert isinstance(decision, GiveUp)
    assert isinstance(decision.error, LLMTimeout)
    assert "attempt 2" in decision.error.details
    assert "LLM_UNAVAILABLE" in decision.error.details


def test_after_the_deadline_what_may_still_be_asked_is_asked():
    past = history(("a", DOWN), untried=("offline",), remaining=0.0)

    assert decide(DOWN, past, POLICY) == Fallback("offline")


def test_after_the_deadline_a_missing_model_does_not_hide_what_came_before():
    timeout = LLMTimeout()
    past = history(("a", timeout), ("offline", NO_MODEL), remaining=0.0)

    assert decide(NO_MODEL, past, POLICY) == GiveUp(timeout)


def test_after_the_deadline_a_timeout_is_raised_as_it_is():
    error = LLMTimeout()

    assert decide(error, history(("a", error), remaining=0.0), POLICY) == GiveUp(error)


REJECTED, DOWN, LIMITED = LLMRequestRejected(), LLMUnavailable(), LLMRateLimited()
TOO_LONG, NO_MODEL = LLMContextTooLong(), NoModelConfigured()
TELLING = {
    "the last": ([REJECTED, TOO_LONG], TOO_LONG),
    "the last that may pass": ([DOWN, LIMITED, REJECTED], LIMITED),
    "not that no model is configured": ([REJECTED, NO_MODEL], REJECTED),
    "unless nothing else happened": ([NO_MODEL], NO_MODEL),
}


@pytest.mark.parametrize(("errors", "expected"), TELLING.values(), ids=TELLING)
def test_the_error_that_tells_most_is_raised(errors, expected):
    assert telling(errors) is expected


def test_why_deployments_were_left_out_counts_as_heard():
    past = history(("offline", NO_MODEL), objections=(TOO_LONG,))

    assert decide(NO_MODEL, past, POLICY) == GiveUp(TOO_LONG)


HINTS = {
    "unknown": (LLMUnavailable(), 5.0),
    "as the upstream says": (LLMRateLimited(retry_after_seconds=7.5), 7.5),
    "at least a second": (LLMRateLimited(retry_after_seconds=0.0), 1.0),
    "never for what lasts": (LLMRequestRejected(), None),
}


@pytest.mark.parametrize(("error", "hint"), HINTS.values(), ids=HINTS)
def test_a_caller_is_told_when_to_come_back(error, hint):
    assert hint_seconds(error, POLICY) == hint


@pytest.mark.parametrize(
    ("made", "ceiling"), [(0, 0.5), (1, 1.0), (2, 2.0), (4, 8.0), (5, 8.0), (60, 8.0)]
)
def test_the_backoff_doubles_up_to_its_cap(made, ceiling):
    assert backoff_seconds(made, 1.0, POLICY) == ceiling


@given(
    made=st.integers(0, 100),
    draw=st.floats(0.0, 1.0, exclude_max=True),
)
def test_the_jitter_is_full(made, draw):
    assert 0.0 <= backoff_seconds(made, draw, POLICY) <= POLICY.cap_seconds


def test_a_policy_without_retries_gives_up_after_each_was_asked_once():
    policy = replace(POLICY, retries=0)

    assert decide(DOWN, history(("a", DOWN)), policy) == GiveUp(DOWN)


WINDOWS = {
    "a longer one": ({"a": 8, "b": 4, "c": 16}, Fallback("c")),
    "an unknown one": ({"a": 8, "b": 8, "c": None}, Fallback("c")),
    "any, after an unknown one": ({"a": None, "b": 4, "c": 8}, Fallback("b")),
    "none": ({"a": 8, "b": 8, "c": 4}, GiveUp(TOO_LONG)),
}


@pytest.mark.parametrize(("windows", "expected"), WINDOWS.values(), ids=WINDOWS)
def test_an_input_that_was_too_long_goes_to(windows, expected):
    past = history(("a", TOO_LONG), untried=("b", "c"), windows=windows)

    assert decide(TOO_LONG, past, POLICY) == expected


def test_what_was_too_short_once_stays_so_after_another_failure():
    windows = {"a": 8, "b": 16, "c": 8, "d": 32}
    past = history(("a", TOO_LONG), ("b", DOWN), untried=("c", "d"), windows=windows)

    assert decide(DOWN, past, POLICY) == Fallback("d")


def test_a_window_that_is_too_short_does_not_keep_another_from_a_retry():
    windows = {"a": 8, "b": 16, "c": 8}
    past = history(("b", DOWN), ("a", TOO_LONG), untried=("c",), windows=windows)

    assert decide(TOO_LONG, past, POLICY) == Retry("b", 0.25)
