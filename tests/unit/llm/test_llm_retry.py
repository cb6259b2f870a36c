"""What follows a failure: each rule a table of histories and decisions."""

from dataclasses import replace

import pytest
from retry_cases import NOW, POLICY, Case, history

from flaskllm.core.errors import (
    BudgetExceeded,
    CallerGone,
    LLMAnswerDiffers,
    LLMContextTooLong,
    LLMCredentialRejected,
    LLMInvalidRequest,
    LLMProtocolError,
    LLMRateLimited,
    LLMRefused,
    LLMRequestRejected,
    LLMServerError,
    LLMTimeout,
    LLMUnavailable,
    NoModelConfigured,
)
from flaskllm.llm.retry import Ask, GiveUp, Retry, decide

DOWN, FAILED, SILENT = LLMUnavailable(), LLMServerError(), LLMTimeout()
GARBLED, REJECTED, DENIED = (
    LLMProtocolError(),
    LLMRequestRejected(),
    LLMCredentialRejected(),
)
TOO_LONG, NO_MODEL, DIFFERS = (
    LLMContextTooLong(),
    NoModelConfigured(),
    LLMAnswerDiffers(),
)
LIMITED, SHORTLY, LATER = (
    LLMRateLimited(),
    LLMRateLimited(retry_after_seconds=2.0),
    LLMRateLimited(retry_after_seconds=20.0),
)


def by_code(error):
    return error.code


def follows(past, policy=POLICY):
    """Return what is decided about the last failure of a history."""
    return decide(past.failures[-1].error, past, policy)


MOVING_ON = [DOWN, SILENT, GARBLED, REJECTED, DENIED, TOO_LONG, NO_MODEL, DIFFERS]


@pytest.mark.parametrize("error", MOVING_ON, ids=by_code)
def test_another_candidate_is_asked_at_once(error):
    past = history(("a", error), untried=("b", "c"))

    assert follows(past) == Ask("b")


FINAL = [LLMRefused(), LLMInvalidRequest(), CallerGone(), BudgetExceeded()]


@pytest.mark.parametrize("error", FINAL, ids=by_code)
def test_what_no_other_deployment_can_mend_ends_the_request(error):
    assert follows(history(("a", error), untried=("b",))) == GiveUp(error)


AT_THE_SAME_PLACE: dict[str, Case] = {
    "once more, where others are left": (
        history(("a", FAILED), untried=("b",)),
        Retry("a", 0.25),
    ),
    "not twice, where others are left": (
        history(("a", FAILED), ("a", FAILED), untried=("b",), retried=("a",)),
        Ask("b"),
    ),
    "once more at the next one too": (
        history(("a", FAILED), ("a", DOWN), ("b", FAILED), retried=("a",)),
        Retry("b", 0.5),
    ),
    "not when the retries are used up": (
        history(("a", FAILED), ("b", FAILED), untried=("c",), retried=("a", "b")),
        Ask("c"),
    ),
    "not when it is being left alone": (
        history(("a", FAILED), untried=("b",), obstacles={"a": ("cooling", 5.0)}),
        Ask("b"),
    ),
    "not when its repeats are used up": (
        history(("a", FAILED), untried=("b",), obstacles={"a": ("busy", 1.0)}),
        Ask("b"),
    ),
    "not when the wait does not fit the deadline": (
        history(("a", FAILED), untried=("b",), remaining=0.2),
        Ask("b"),
    ),
}


@pytest.mark.parametrize(
    ("past", "decision"), AT_THE_SAME_PLACE.values(), ids=AT_THE_SAME_PLACE
)
def test_a_fault_at_one_request_is_tried_at_the_same_place(past, decision):
    assert follows(past) == decision


# Behind `a` stands a fallback with another model.
OTHER = {"aliases": {"b": "far"}, "models": {"b": "other"}}
LIMITS: dict[str, Case] = {
    "another of the route at once": (
        history(
            ("a", SHORTLY),
            untried=("b", "c"),
            aliases={"b": "far"},
            models={"b": "other", "c": "third"},
        ),
        Ask("c"),
    ),
    "a fallback with the same model at once": (
        history(("a", SHORTLY), untried=("b",), aliases={"b": "far"}),
        Ask("b"),
    ),
    "a short wait before another model": (
        history(("a", SHORTLY), untried=("b",), **OTHER),
        Retry("a", 2.0),
    ),
    "then the other model": (
        history(
            ("a", SHORTLY),
            ("a", SHORTLY),
            untried=("b",),
            **OTHER,
            retried=("a",),
        ),
        Ask("b"),
    ),
    "the other model before a long wait": (
        history(("a", LATER), untried=("b",), **OTHER),
        Ask("b"),
    ),
    "the other model where none was told": (
        history(("a", LIMITED), untried=("b",), **OTHER),
        Ask("b"),
    ),
    "a short wait where it is alone": (history(("a", SHORTLY)), Retry("a", 2.0)),
    "and no second one": (
        history(("a", SHORTLY), ("a", SHORTLY), retried=("a",)),
        GiveUp(SHORTLY),
    ),
    "no long wait": (history(("a", LATER)), GiveUp(LATER)),
    "a backoff where none was told": (history(("a", LIMITED)), Retry("a", 0.25)),
    "and a second one": (
        history(("a", LIMITED), ("a", LIMITED), retried=("a",)),
        Retry("a", 0.5),
    ),
    "as long as it is known to be limited": (
        history(("a", LIMITED), obstacles={"a": ("limited", 1.25)}),
        Retry("a", 1.25),
    ),
    "but not for long": (
        history(("a", LIMITED), obstacles={"a": ("limited", 3.5)}),
        GiveUp(LIMITED),
    ),
    "no wait for a same model that may not be asked": (
        history(
            ("a", SHORTLY),
            untried=("b", "c"),
            aliases={"c": "far"},
            models={"c": "other"},
            obstacles={"b": ("cooling", 1.0)},
        ),
        Retry("a", 2.0),
    ),
    "no wait when the retries are used up": (
        history(
            ("x", DOWN),
            ("a", SHORTLY),
            untried=("b",),
            **OTHER,
            retried=("x", "x"),
        ),
        Ask("b"),
    ),
}


@pytest.mark.parametrize(("past", "decision"), LIMITS.values(), ids=LIMITS)
def test_after_a_429_there_is(past, decision):
    assert follows(past) == decision


WAITS = {
    "longer than the backoff": (2.0, 60.0, Retry("a", 2.0)),
    "shorter than the backoff": (0.1, 60.0, Retry("a", 0.25)),
    "as long as it may be": (3.0, 60.0, Retry("a", 3.0)),
    "longer": (3.1, 60.0, None),
    "just within the deadline": (1.9, 2.0, Retry("a", 1.9)),
    "as long as the deadline": (2.0, 2.0, None),
}


@pytest.mark.parametrize(("asked", "remaining", "expected"), WAITS.values(), ids=WAITS)
def test_a_retry_after_is_honoured_when_it_is_short(asked, remaining, expected):
    error = LLMUnavailable(retry_after_seconds=asked)

    decision = follows(history(("a", error), remaining=remaining))

    assert decision == (expected or GiveUp(error))


ALONE = [DOWN, FAILED, GARBLED, LIMITED]
LASTING = [REJECTED, DENIED, TOO_LONG, NO_MODEL, SILENT, DIFFERS]


@pytest.mark.parametrize("error", ALONE, ids=by_code)
def test_a_passing_error_is_retried_after_the_backoff_when_nothing_else_is_left(error):
    assert follows(history(("a", error))) == Retry("a", 0.25)


@pytest.mark.parametrize("error", LASTING, ids=by_code)
def test_who_was_silent_and_what_lasts_is_never_asked_again(error):
    assert follows(history(("a", error))) == GiveUp(error)


def test_at_most_two_retries_are_made_in_a_request():
    errors = [LLMUnavailable(details=str(number)) for number in range(3)]
    pairs = [("a", error) for error in errors]

    decisions = [
        follows(history(*pairs[:made], retried=("a",) * (made - 1)))
        for made in (1, 2, 3)
    ]

    assert decisions == [Retry("a", 0.25), Retry("a", 0.5), GiveUp(errors[2])]


def test_a_policy_without_retries_gives_up_after_each_was_asked_once():
    assert follows(history(("a", DOWN)), replace(POLICY, retries=0)) == GiveUp(DOWN)


def test_first_attempts_elsewhere_do_not_use_up_the_retries():
    past = history(*[(name, DOWN) for name in "abcdef"])

    assert follows(past) == Retry("a", 0.25)


AGAIN: dict[str, Case] = {
    "in turn": (
        history(("a", DOWN), ("b", REJECTED), ("c", DOWN), ("a", DOWN), retried=("a",)),
        Retry("c", 0.5),
    ),
    "also when the last error lasts": (
        history(("a", DOWN), ("b", DENIED)),
        Retry("a", 0.25),
    ),
    "never who was silent": (history(("a", SILENT), ("b", REJECTED)), GiveUp(SILENT)),
    "the one that is ready first": (
        history(("a", SHORTLY), ("b", DOWN), models={"b": "other"}),
        Retry("b", 0.25),
    ),
    "time that passed meanwhile counts as waited": (
        history(("a", SHORTLY), ("b", REJECTED)),
        Retry("a", 1.0),
    ),
    "not where it does not fit the deadline": (
        history(("a", DOWN), remaining=0.2),
        GiveUp(DOWN),
    ),
    "not whom an operator took out meanwhile": (
        history(("a", DOWN), obstacles={"a": ("disabled", None)}),
        GiveUp(DOWN),
    ),
    "not what ended a request before": (
        history(("a", BudgetExceeded()), ("b", DENIED)),
        GiveUp(DENIED),
    ),
}


@pytest.mark.parametrize(("past", "decision"), AGAIN.values(), ids=AGAIN)
def test_when_nothing_untried_is_left_a_deployment_is_asked_again(past, decision):
    assert follows(past) == decision


class TestAfterTheDeadline:
    def test_the_error_is_a_timeout_that_tells_what_came_before(self):
        decision = follows(history(("a", DOWN), ("b", DOWN), remaining=0.0))

        assert isinstance(decision.error, LLMTimeout)
        assert "attempt 2" in decision.error.details
        assert "LLM_UNAVAILABLE" in decision.error.details

    def test_what_may_still_be_asked_is_asked(self):
        past = history(("a", DOWN), untried=("offline",), remaining=0.0)

        assert follows(past) == Ask("offline")

    def test_a_missing_model_does_not_hide_what_came_before(self):
        past = history(("a", SILENT), ("offline", NO_MODEL), remaining=0.0)

        assert follows(past) == GiveUp(SILENT)

    def test_a_timeout_is_raised_as_it_is(self):
        assert follows(history(("a", SILENT), remaining=0.0)) == GiveUp(SILENT)


WINDOWS: dict[str, Case] = {
    "a longer one": ({"a": 8, "b": 4, "c": 16}, Ask("c")),
    "an unknown one": ({"a": 8, "b": 8, "c": None}, Ask("c")),
    "any, after an unknown one": ({"a": None, "b": 4, "c": 8}, Ask("b")),
    "none": ({"a": 8, "b": 8, "c": 4}, GiveUp(TOO_LONG)),
}


@pytest.mark.parametrize(("windows", "expected"), WINDOWS.values(), ids=WINDOWS)
def test_an_input_that_was_too_long_goes_to(windows, expected):
    past = history(("a", TOO_LONG), untried=("b", "c"), windows=windows)

    assert follows(past) == expected


def test_what_was_too_short_once_stays_so_after_another_failure():
    windows = {"a": 8, "b": 16, "c": 8, "d": 32}
    past = history(("a", TOO_LONG), ("b", DOWN), untried=("c", "d"), windows=windows)

    assert follows(past) == Ask("d")


def test_a_window_that_is_too_short_does_not_keep_another_from_a_retry():
    windows = {"a": 8, "b": 16, "c": 8}
    past = history(("b", DOWN), ("a", TOO_LONG), untried=("c",), windows=windows)

    assert follows(past) == Retry("b", 0.25)


CONTINUING: dict[str, Case] = {
    "the same, once": (
        history(("a", DOWN), ("b", DIFFERS), untried=("c",), may_continue=True),
        Retry("b", 0.0),
    ),
    "then another": (
        history(
            ("b", DIFFERS),
            ("b", DIFFERS),
            untried=("c",),
            retried=("b",),
            may_continue=True,
        ),
        Ask("c"),
    ),
    "another when the retries are used up": (
        history(
            ("a", DOWN),
            ("b", DIFFERS),
            untried=("c",),
            retried=("a", "a"),
            may_continue=True,
        ),
        Ask("c"),
    ),
    "another where it may not continue": (
        history(("a", DOWN), ("b", DIFFERS), untried=("c",)),
        Ask("c"),
    ),
}


@pytest.mark.parametrize(("past", "decision"), CONTINUING.values(), ids=CONTINUING)
def test_after_an_answer_that_differs_from_what_was_shown_comes(past, decision):
    assert follows(past) == decision


def test_an_answer_is_not_continued_after_the_deadline():
    past = history(("b", DIFFERS), remaining=0.0, may_continue=True)

    assert isinstance(follows(past).error, LLMTimeout)


def test_a_failure_is_timed_by_the_monotonic_clock():
    assert history(("a", DOWN), ("b", DOWN)).failures[-1].at_seconds == NOW
