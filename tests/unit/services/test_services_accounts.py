"""An account: held before each attempt, settled after, and told to whoever asks."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from account_fakes import (
    FakeLedger,
    FakeTokenLimits,
    FakeWriter,
    make_accounts,
)
from fakes import FakeClock
from ledger_scene import NOON, TODAY
from log_lines import ours
from prometheus_client.parser import text_string_to_metric_families

from flaskllm.core.auth import Principal, PrincipalLimits, Scope
from flaskllm.core.clock import Deadline
from flaskllm.core.errors import BudgetExceeded, RateLimitExceeded, ServiceUnavailable
from flaskllm.core.metrics import Metrics
from flaskllm.llm.terms import Price
from flaskllm.llm.types import Attempt, Deployment, Outcome, Plan, Usage
from flaskllm.services.budgets import notice_of
from flaskllm.storage.budgets import BudgetRow, BudgetStanding
from flaskllm.storage.ledger import Admitted, Busy, Refused
from flaskllm.storage.usage import Described, UsageRow

ANN = Principal("ann", "Ann", frozenset({Scope.CHAT}), "api", tags=("team", "x"))
MINI = Deployment("mini", "openai", "openai", "gpt-4o-mini")
PLAN = Plan(100, 50, reserved_nanos=200, expected_nanos=120)
ATTEMPT = Attempt(1, "fast", MINI, "fast: mini", Price(1_000_000, 2_000_000), PLAN)
LOCAL = Attempt(2, "offline", MINI, "offline")
USED = Outcome("OK", 1.2346, Usage(90, 5, 5, 20, 10, "provider"))
FAILED = Outcome("LLM_TIMEOUT", 60.0, Usage())
BUDGET = BudgetRow(
    "bud_1", "principal:ann", "day", "hard", 1000, "cheap", NOON, "admin"
)


@pytest.fixture
def clock():
    return FakeClock(NOON)


@pytest.fixture
def writer():
    return FakeWriter()


@pytest.fixture
def limits():
    return FakeTokenLimits()


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def accounts(clock, writer, limits, metrics):
    return make_accounts(clock, writer, limits, metrics=metrics)


@pytest.fixture
def open_account(accounts, clock):
    def open_account(principal=ANN, seconds=300.0, source="openai:chat"):
        deadline = Deadline.after(seconds, clock)
        return accounts.open(
            principal, request_id="req_1", source=source, deadline=deadline
        )

    return open_account


@pytest.fixture
def account(open_account):
    return open_account()


def value(metrics, name, **labels):
    families = text_string_to_metric_families(metrics.render().decode())
    for family in families:
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return sample.value
    return None


def standing(budget=BUDGET, spent=900):
    return BudgetStanding(budget, TODAY, spent, False)


def test_before_an_attempt_what_it_may_take_is_reserved(account, writer):
    account.before(ATTEMPT)

    (held,) = writer.reserved
    assert held.attempt_id == ATTEMPT.id
    assert (held.principal_id, held.request_id) == ("ann", "req_1")
    assert held.subjects == ("principal:ann", "tag:team", "tag:x")
    assert (held.reserved_nanos, held.expected_nanos) == (200, 120)
    assert (held.created_at, held.day) == (NOON, TODAY)
    assert held.described == Described(
        "fast",
        "mini",
        "openai",
        "gpt-4o-mini",
        1,
        "fast: mini",
        "openai:chat",
        "team x",
        '{"input": 1000000, "output": 2000000}',
        opens_request=True,
    )


def test_a_reservation_lasts_a_minute_longer_than_its_request(account, writer, clock):
    clock.advance(100)

    account.before(ATTEMPT)

    assert writer.reserved[0].expires_at == NOON + timedelta(seconds=300 + 60)


@pytest.mark.parametrize(("left", "patience"), [(300.0, 10.0), (3.0, 3.0)])
def test_nobody_waits_for_longer_than_the_request_has(
    open_account, writer, left, patience
):
    open_account(seconds=left).before(ATTEMPT)

    assert writer.patience == [patience]


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("UTC", date(2026, 1, 5)),
        ("Asia/Tokyo", date(2026, 1, 6)),
        ("America/New_York", date(2026, 1, 5)),
    ],
)
def test_money_counts_for_the_day_of_the_reporting_time_zone(zone, day):
    clock, writer = FakeClock(datetime(2026, 1, 5, 23, tzinfo=UTC)), FakeWriter()
    accounts = make_accounts(clock, writer, zone=zone)
    deadline = Deadline.after(9.0, clock)

    accounts.open(ANN, request_id="r", source="s", deadline=deadline).before(ATTEMPT)

    assert writer.reserved[0].day == day


def test_a_limit_of_attempts_at_once_goes_with_the_reservation(open_account, writer):
    limited = replace(ANN, limits=PrincipalLimits(concurrent_requests=3))

    open_account(limited).before(ATTEMPT)

    assert writer.reserved[0].concurrent_requests == 3


def test_an_attempt_becomes_a_row(account, writer, clock):
    account.before(ATTEMPT)
    clock.advance(2)

    account.after(ATTEMPT, USED)

    (closing,) = writer.closings
    assert closing.reservation is writer.reserved[0]
    assert (closing.at, closing.is_released) == (NOON + timedelta(seconds=2), False)
    assert closing.usage == UsageRow(
        id=ATTEMPT.id,
        request_id="req_1",
        principal_id="ann",
        alias="fast",
        deployment="mini",
        provider="openai",
        model="gpt-4o-mini",
        attempt=1,
        outcome="OK",
        latency_ms=1235,
        input_uncached=90,
        input_cache_read=5,
        input_cache_write=5,
        output_text=20,
        output_reasoning=10,
        usage_source="provider",
        created_at=NOON,
        decision="fast: mini",
        source="openai:chat",
        tags="team x",
        cost_nanos=160,
        is_estimated=False,
        price='{"input": 1000000, "output": 2000000}',
        opens_request=True,
    )


def test_an_attempt_that_calls_nobody_reserves_nothing_and_is_recorded(
    account, writer, limits
):
    account.before(LOCAL)
    account.after(LOCAL, Outcome("OK", 0.1, Usage(3, output_text=2)))

    assert (writer.reserved, limits.charged, limits.corrected) == ([], [], [])
    (closing,) = writer.closings
    assert closing.reservation is None
    assert (closing.usage.deployment, closing.usage.cost_nanos) == ("mini", 0)
    assert account.cost_nanos == 0


def test_a_failure_is_released(account, writer):
    account.before(ATTEMPT)
    account.after(ATTEMPT, FAILED)

    (closing,) = writer.closings
    assert closing.is_released
    assert (closing.usage.outcome, closing.usage.cost_nanos) == ("LLM_TIMEOUT", 0)


def test_an_attempt_is_closed_once(account, writer, limits):
    account.before(ATTEMPT)
    account.after(ATTEMPT, USED)
    account.after(ATTEMPT, FAILED)

    assert len(writer.closings) == len(limits.corrected) == 1
    assert account.cost_nanos == 160


def test_the_cost_of_all_attempts_adds_up(account):
    second = replace(ATTEMPT, number=2, id="att_2")
    for attempt, outcome in ((ATTEMPT, FAILED), (second, USED), (LOCAL, USED)):
        account.before(attempt)
        account.after(attempt, outcome)

    assert account.cost_nanos == 160


def test_one_attempt_of_an_unknown_price_makes_the_cost_unknown(account, metrics):
    unknown = replace(ATTEMPT, price=None, id="att_2")
    for attempt in (ATTEMPT, unknown, replace(ATTEMPT, id="att_3")):
        account.before(attempt)
        account.after(attempt, USED)

    assert account.cost_nanos is None
    assert value(metrics, "flaskllm_unpriced_attempts_total", deployment="mini") == 1
    assert value(metrics, "flaskllm_cost_nanos_total", deployment="mini") == 320


def test_an_unknown_price_of_what_used_nothing_does_no_harm(account, metrics):
    unknown = replace(ATTEMPT, price=None, plan=Plan(100, 50))
    account.before(unknown)
    account.after(unknown, Outcome("OK", 1.0, Usage()))

    assert account.cost_nanos == 0
    assert value(metrics, "flaskllm_unpriced_attempts_total", deployment="mini") is None


def test_tokens_of_the_minute_are_charged_as_planned_and_corrected(account, limits):
    account.before(ATTEMPT)
    account.after(ATTEMPT, USED)

    assert limits.charged == [("ann", 150)]
    assert limits.corrected == [("ann", 130 - 150, 1001.0)]


def test_tokens_of_a_failure_are_given_back(account, limits):
    account.before(ATTEMPT)
    account.after(ATTEMPT, FAILED)

    assert limits.corrected == [("ann", -150, 1001.0)]


def test_too_many_tokens_are_refused_before_money_is_reserved(account, limits, writer):
    limits.error = RateLimitExceeded(retry_after_seconds=7.0)

    with pytest.raises(RateLimitExceeded):
        account.before(ATTEMPT)

    assert writer.reserved == []


@pytest.mark.parametrize(
    "verdict",
    [
        Busy(2),
        Refused(standing(), None, 200),
        ServiceUnavailable(retry_after_seconds=1.0),
    ],
)
def test_what_is_refused_gives_its_tokens_back_and_leaves_nothing_open(
    account, writer, limits, verdict
):
    writer.verdict = verdict

    with pytest.raises((RateLimitExceeded, BudgetExceeded, ServiceUnavailable)):
        account.before(ATTEMPT)
    account.after(ATTEMPT, USED)

    assert limits.corrected == [("ann", -150, 1001.0)]
    assert (writer.closings, account.cost_nanos) == ([], 0)


def test_too_many_at_once_may_come_back_in_a_second(account, writer, metrics):
    writer.verdict = Busy(2)

    with pytest.raises(RateLimitExceeded) as refused:
        account.before(ATTEMPT)

    assert refused.value.retry_after_seconds == 1.0
    assert "2" in refused.value.details
    assert value(metrics, "flaskllm_attempts_refused_total", by="concurrency") == 1


def test_a_spent_budget_is_told_with_its_money_and_its_end(account, writer, metrics):
    writer.verdict = Refused(standing(replace(BUDGET, on_exhausted=None)), None, 200)

    with pytest.raises(BudgetExceeded) as refused:
        account.before(ATTEMPT)

    told = refused.value
    assert told.alias is None
    for part in ("day", "0.000001", "0.0000009", "2026-01-06"):
        assert part in told.details
    assert value(metrics, "flaskllm_attempts_refused_total", by="budget") == 1
    assert account.notices == ()


def test_a_budget_with_an_alias_stops_no_attempt_under_this_alias(account, writer):
    writer.verdict = Refused(standing(), "cheap", 200, frozenset({"bud_1"}))

    with pytest.raises(BudgetExceeded) as refused:
        account.before(ATTEMPT)
    writer.verdict = Admitted()
    account.before(replace(ATTEMPT, alias="cheap", id="att_2"))
    account.before(replace(ATTEMPT, id="att_3"))

    assert refused.value.alias == "cheap"
    waived = [held.waived for held in writer.reserved]
    assert waived == [frozenset(), frozenset({"bud_1"}), frozenset()]
    assert account.notices == (notice_of(standing(), "cheap"),)


def test_soft_budgets_that_are_passed_are_noticed_once_as_they_stand(account, writer):
    soft = replace(BUDGET, id="bud_2", kind="soft", on_exhausted=None)
    for spent in (1100, 1300):
        writer.verdict = Admitted((standing(soft, spent),))
        account.before(replace(ATTEMPT, id=f"att_{spent}"))

    assert account.notices == (notice_of(standing(soft, 1300)),)


def test_a_decision_and_a_source_are_cut_to_what_their_columns_hold(
    open_account, writer
):
    attempt = replace(ATTEMPT, decision="a" * 299 + "bc")

    open_account(source="s" * 41).before(attempt)

    described = writer.reserved[0].described
    assert described.decision == "a" * 299 + "b"
    assert described.source == "s" * 40


def test_what_cannot_be_recorded_is_logged_and_goes_no_further(account, limits, caplog):
    account.before(ATTEMPT)
    limits.correct_tokens = None  # nobody foresaw this

    account.after(ATTEMPT, USED)

    (line,) = ours(caplog)
    assert (line.message, line.levelname) == ("usage_not_recorded", "ERROR")
    assert line.fields == {"request_id": "req_1", "attempt_id": ATTEMPT.id}


def test_how_long_attempts_wait_for_the_ledger_can_be_seen(account, metrics):
    account.before(ATTEMPT)

    assert value(metrics, "flaskllm_ledger_wait_seconds_count") == 1


def test_the_sweep_goes_on_until_nothing_has_expired(clock, metrics):
    ledger = FakeLedger([200, 200, 7])

    accounts = make_accounts(clock, ledger=ledger, metrics=metrics)

    assert accounts.sweep() == 407
    assert value(metrics, "flaskllm_reservations_swept_total") == 407


def test_to_flush_is_to_flush_the_writer(accounts, writer):
    accounts.flush()

    assert writer.flushes == 1
