"""How an attempt ended is told once, to the call and to the deployment's health."""

from dataclasses import dataclass, field

import pytest
from fakes import FakeClock

from flaskllm.core.clock import Deadline
from flaskllm.core.errors import (
    BudgetExceeded,
    CallerGone,
    LLMProtocolError,
    LLMTimeout,
)
from flaskllm.llm.settlement import Settlement
from flaskllm.llm.types import Attempt, Call, Deployment, Usage

USAGE = Usage(input_uncached=3, output_text=2, source="provider")
DEPLOYMENT = Deployment("a", "p", "vllm", "m")


@dataclass
class RecordedVisit:
    """A place that remembers what it was told."""

    heeded: list = field(default_factory=list)
    first_tokens: list = field(default_factory=list)
    ends: list = field(default_factory=list)

    def heed(self, headers):
        self.heeded.append(headers)

    def first_token(self, seconds):
        self.first_tokens.append(seconds)

    def end(self, error, usage, seconds, *, is_callers_fault=False):
        self.ends.append((error, usage, seconds, is_callers_fault))


class Told:
    """A settlement of an attempt of ten seconds' patience, in a call of thirty."""

    def __init__(self, visit=None, before=lambda attempt: None):
        self.clock = FakeClock()
        self.outcomes = []
        self.visit = visit
        call = Call(
            Deadline.after(30.0, self.clock),
            self.clock.sleep,
            before,
            lambda attempt, outcome: self.outcomes.append(outcome),
        )
        attempt = Attempt(1, "main", DEPLOYMENT)
        self.settlement = Settlement(attempt, call, visit, patience_seconds=10.0)


def test_a_good_end_is_told_to_both_once():
    told = Told(visit := RecordedVisit())
    told.clock.advance(2.0)

    told.settlement.tell("OK", USAGE)
    told.settlement.tell_error(LLMTimeout())

    assert visit.ends == [(None, USAGE, 2.0, False)]
    assert [outcome.code for outcome in told.outcomes] == ["OK"]


def test_an_error_is_told_to_both():
    told = Told(visit := RecordedVisit())
    error = LLMProtocolError(details="half an event")

    told.settlement.tell_error(error, USAGE)

    assert visit.ends == [(error, USAGE, 0.0, False)]
    (outcome,) = told.outcomes
    assert (outcome.code, outcome.details) == ("LLM_PROTOCOL_ERROR", "half an event")


def test_a_caller_who_left_is_to_blame():
    told = Told(visit := RecordedVisit())

    told.settlement.tell(CallerGone.code, USAGE)

    ((error, _, _, is_callers_fault),) = visit.ends
    assert isinstance(error, CallerGone)
    assert is_callers_fault


TIMES = {
    "its own patience, in time": (12.0, False, False),
    "the deadline, long after its patience": (30.0, False, False),
    "the deadline, before its patience": (30.0, True, True),
    "its own gap, after a token": (29.0, True, False),
}


@pytest.mark.parametrize(
    ("at_seconds", "had_token", "is_callers_fault"), TIMES.values(), ids=TIMES
)
def test_who_is_to_blame_for_a_time_out(at_seconds, had_token, is_callers_fault):
    told = Told(visit := RecordedVisit())
    told.clock.advance(1.0)
    if had_token:
        told.settlement.mark_first_token()
    told.clock.advance(at_seconds - 1.0)

    told.settlement.tell_error(LLMTimeout())

    assert visit.ends[0][3] is is_callers_fault
    assert visit.first_tokens == ([1.0] if had_token else [])


def test_an_attempt_that_began_late_had_less_than_its_patience():
    told = Told(visit := RecordedVisit())
    told.clock.advance(25.0)
    call = told.settlement._call
    late = Settlement(told.settlement.attempt, call, visit, patience_seconds=10.0)
    told.clock.advance(5.0)

    late.tell_error(LLMTimeout())

    assert visit.ends[0][3] is True


def test_headers_are_heeded_whoever_listens():
    headers = {"x-ratelimit-remaining-requests": "3", "date": "today"}
    told, alone = Told(visit := RecordedVisit()), Told()

    told.settlement.heed(headers)
    alone.settlement.heed(headers)

    assert visit.heeded == [headers]
    kept = {"x-ratelimit-remaining-requests": "3"}
    assert told.settlement.rate_limits == alone.settlement.rate_limits == kept


def test_what_may_not_be_made_leaves_its_place_and_is_nobodys_outcome():
    visit = RecordedVisit()

    def spend(attempt):
        raise BudgetExceeded

    with pytest.raises(BudgetExceeded):
        Told(visit, spend)

    ((error, usage, _, is_callers_fault),) = visit.ends
    assert isinstance(error, BudgetExceeded)
    assert (usage, is_callers_fault) == (Usage(), True)


def test_without_a_place_only_the_call_is_told():
    told = Told()

    told.settlement.mark_first_token()
    told.settlement.tell("OK", USAGE)

    assert told.outcomes[0].first_token_seconds == 0.0
