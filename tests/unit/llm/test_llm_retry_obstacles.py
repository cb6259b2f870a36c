"""Whom to ask, when and with which error, where deployments may not be asked now."""

import pytest
from retry_cases import POLICY, Case, history

from flaskllm.core.errors import (
    LLMContextTooLong,
    LLMCredentialRejected,
    LLMRateLimited,
    LLMRequestRejected,
    LLMUnavailable,
    NoModelConfigured,
)
from flaskllm.llm.retry import Ask, GiveUp, Retry, begin, decide

DOWN, REJECTED = LLMUnavailable(), LLMRequestRejected()

FIRST: dict[str, Case] = {
    "the first that nothing is in the way of": (
        history(untried=("a", "b", "c"), obstacles={"a": ("cooling", 1.0)}),
        Ask("b"),
    ),
    "one that is limited for a moment, after that moment": (
        history(
            untried=("a", "b"),
            obstacles={"a": ("limited", 2.5), "b": ("limited", 1.5)},
        ),
        Retry("b", 1.5),
    ),
    "one that is free by now": (
        history(untried=("a",), obstacles={"a": ("limited", 0.0)}),
        Retry("a", 0.0),
    ),
    "the one whose cool-down ends first": (
        history(
            untried=("a", "b", "c"),
            obstacles={"a": ("cooling", 4.0), "b": ("cooling", 2.0), "c": ("busy", 9)},
        ),
        Ask("b", as_last_resort=True),
    ),
    "one that is busy for a moment, before the last resort": (
        history(
            untried=("a", "b"),
            obstacles={"a": ("cooling", 4.0), "b": ("busy", 1.0)},
        ),
        Retry("b", 1.0),
    ),
    "one whose cool-down has no known end": (
        history(untried=("a",), obstacles={"a": ("cooling", None)}),
        Ask("a", as_last_resort=True),
    ),
    "the last resort rather than a long wait": (
        history(
            untried=("a", "b"), obstacles={"a": ("limited", 9), "b": ("cooling", 9)}
        ),
        Ask("b", as_last_resort=True),
    ),
    "a short wait rather than the last resort": (
        history(
            untried=("a", "b"), obstacles={"a": ("cooling", 1), "b": ("limited", 2.0)}
        ),
        Retry("b", 2.0),
    ),
    "no wait beyond the deadline": (
        history(
            untried=("a", "b"),
            obstacles={"a": ("limited", 2.0), "b": ("cooling", 1)},
            remaining=1.0,
        ),
        Ask("b", as_last_resort=True),
    ),
}


@pytest.mark.parametrize(("past", "decision"), FIRST.values(), ids=FIRST)
def test_first_is_asked(past, decision):
    assert begin(past, POLICY) == decision


ENDS = {
    "all limited for long": (
        {"a": ("limited", 20.0), "b": ("limited", 12.0)},
        LLMRateLimited,
        12.0,
        "a (limited 20 s), b (limited 12 s)",
    ),
    "all without a credential": (
        {"a": ("credential", 60.0), "b": ("credential", 30.0)},
        LLMCredentialRejected,
        30.0,
        "a (credential rejected 60 s)",
    ),
    "all taken out": (
        {"a": ("disabled", None), "b": ("disabled", None)},
        LLMUnavailable,
        None,
        "a (taken out by an operator)",
    ),
    "all busy": (
        {"a": ("busy", 4.0), "b": ("busy", 10.0)},
        LLMRateLimited,
        4.0,
        "a (busy 4 s), b (busy 10 s)",
    ),
    "all waiting for a first byte": (
        {"a": ("busy", None), "b": ("busy", None)},
        LLMUnavailable,
        None,
        "a (busy), b (busy)",
    ),
    "cooling and limited": (
        {"a": ("cooling", 7.5), "b": ("limited", 30.0)},
        LLMUnavailable,
        7.5,
        "a (cooling 8 s), b (limited 30 s)",
    ),
    "limited and taken out": (
        {"a": ("disabled", None), "b": ("limited", 30.0)},
        LLMRateLimited,
        30.0,
        "b (limited 30 s)",
    ),
    "a credential and one taken out": (
        {"a": ("disabled", None), "b": ("credential", None)},
        LLMCredentialRejected,
        None,
        "b (credential rejected)",
    ),
}


@pytest.mark.parametrize(
    ("obstacles", "error", "seconds", "said"), ENDS.values(), ids=ENDS
)
def test_when_nobody_may_be_asked_the_error_says_why_and_how_long(
    obstacles, error, seconds, said
):
    past = history(untried=("a", "b"), obstacles=obstacles, had_last_resort=True)

    decision = begin(past, POLICY)

    assert isinstance(decision, GiveUp)
    assert type(decision.error) is error
    assert decision.error.retry_after_seconds == seconds
    assert said in decision.error.details


LIMITED_ONCE = {"a": ("limited", 2.0)}
AFTER: dict[str, Case] = {
    "a short wait for one that is limited": (
        history(("b", REJECTED), untried=("a",), obstacles=LIMITED_ONCE),
        Retry("a", 2.0),
    ),
    "no second wait for it": (
        history(
            ("b", REJECTED), untried=("a",), obstacles=LIMITED_ONCE, retried=("a",)
        ),
        LLMRateLimited,
    ),
    "no wait when the retries are used up": (
        history(
            ("b", REJECTED), untried=("a",), obstacles=LIMITED_ONCE, retried=("b", "b")
        ),
        LLMRateLimited,
    ),
    "a retry rather than a longer wait": (
        history(("b", DOWN), untried=("a",), obstacles=LIMITED_ONCE),
        Retry("b", 0.25),
    ),
    "the last resort": (
        history(("b", REJECTED), untried=("a",), obstacles={"a": ("cooling", 2.0)}),
        Ask("a", as_last_resort=True),
    ),
    "no second last resort": (
        history(
            ("b", REJECTED),
            untried=("a",),
            obstacles={"a": ("cooling", 2.0)},
            had_last_resort=True,
        ),
        LLMUnavailable,
    ),
    "never one whose window is too short": (
        history(
            ("b", LLMContextTooLong()),
            untried=("a", "c"),
            windows={"a": 8, "b": 8, "c": 8},
            obstacles={"a": ("cooling", 2.0), "c": ("limited", 1.0)},
        ),
        LLMUnavailable,
    ),
}


@pytest.mark.parametrize(("past", "expected"), AFTER.values(), ids=AFTER)
def test_after_a_failure_what_is_blocked_comes_last(past, expected):
    decision = decide(past.failures[-1].error, past, POLICY)

    if isinstance(expected, type):
        assert type(decision.error) is expected
    else:
        assert decision == expected


def test_what_went_wrong_tells_more_than_what_was_passed_over():
    past = history(("b", DOWN), untried=("a",), obstacles={"a": ("limited", 9.0)})

    decision = decide(DOWN, past, POLICY)
    given_up = decide(DOWN, history(("b", DOWN), retried=("b", "b")), POLICY)

    assert decision == Retry("b", 0.25)
    assert given_up == GiveUp(DOWN)


def test_why_deployments_were_left_out_is_said_where_it_tells_more():
    too_long = LLMContextTooLong()
    objections = (too_long, NoModelConfigured())
    blocked = {"a": ("credential", None)}
    past = history(
        untried=("a",), obstacles=blocked, objections=objections, had_last_resort=True
    )

    error = begin(past, POLICY).error

    assert isinstance(error, LLMCredentialRejected)


def test_of_a_late_request_nobody_was_asked_for_the_obstacle_is_told():
    past = history(untried=("a",), obstacles={"a": ("limited", 1.0)}, remaining=0.0)

    assert isinstance(begin(past, POLICY).error, LLMRateLimited)
