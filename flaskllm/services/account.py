"""The account of a request: money is held before each attempt, and settled after."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from flaskllm.core import logs
from flaskllm.core.auth import Principal
from flaskllm.core.clock import Deadline
from flaskllm.core.errors import APIError, RateLimitExceeded
from flaskllm.core.periods import day_of
from flaskllm.core.subjects import subjects_of
from flaskllm.llm.cached import Remembered
from flaskllm.llm.types import Attempt, Outcome, Plan
from flaskllm.services.account_house import House
from flaskllm.services.bills import Bill, bill_of
from flaskllm.services.budgets import BudgetNotice, Refused, exceeded, notice_of
from flaskllm.services.usage_rows import describe, remembered_row, usage_row
from flaskllm.storage.ledger import Busy, Closing, Reservation
from flaskllm.storage.usage import Described

# Whoever still works on an attempt so long after its deadline has died.
_MARGIN = timedelta(seconds=60)
_LONGEST_WAIT_SECONDS = 10.0
_CONCURRENCY_RETRY_SECONDS = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Held:
    """What is held for one attempt: money, and tokens that were charged then."""

    reservation: Reservation
    tokens: int
    charged_at: float


class Account:
    """What one request spends. One thread at a time uses it.

    Attributes:
        cost_nanos: What all attempts cost that ended so far, in nano-dollars; None
            where one of them used tokens whose price is not known.
        notices: The budgets that its attempts passed, each once.
    """

    def __init__(
        self,
        house: House,
        principal: Principal,
        request_id: str,
        source: str,
        deadline: Deadline,
    ) -> None:
        """Start at nothing, see `Accounts.open`."""
        self.cost_nanos: int | None = 0
        self.notices: tuple[BudgetNotice, ...] = ()
        self._house = house
        self._principal = principal
        self._request_id = request_id
        self._source = source
        self._deadline = deadline
        self._subjects = subjects_of(principal)
        self._tags = " ".join(principal.tags)
        # By alias: the budgets that stop it no more under this alias.
        self._waived: dict[str, frozenset[str]] = {}
        self._held: dict[str, _Held] = {}
        self._is_open = False  # once an attempt of it is on record

    def before(self, attempt: Attempt) -> None:
        """Return once the attempt's reservation is durable; it may be made then.

        Where no upstream is called there is nothing to reserve.

        Raises:
            BudgetExceeded: It does not fit into a budget. When its `alias` is not
                None, that budget does not stop attempts under this alias: ask for it.
            RateLimitExceeded: Too many attempts are under way, or too many tokens in
                this minute; it says when to come back.
            ServiceUnavailable: It could not be written; a retry may help.
        """
        plan = attempt.plan
        if plan is None:
            return
        limits, payer = self._house.limits, self._principal
        tokens = plan.tokens_input + plan.tokens_output
        charged_at = limits.charge_tokens(payer, tokens)
        try:
            reservation = self._reserve(attempt, plan)
        except BaseException:
            limits.correct_tokens(payer, -tokens, charged_at)
            raise
        self._held[attempt.id] = _Held(reservation, tokens, charged_at)

    def after(self, attempt: Attempt, outcome: Outcome) -> None:
        """Have recorded how the attempt ended; a second time changes nothing.

        It never raises: what could not be recorded is logged.
        """
        try:
            self._close(attempt, outcome)
        except Exception as error:  # the answer is there: the caller shall have it
            logs.event(
                _log,
                logging.ERROR,
                "usage_not_recorded",
                error=error,
                request_id=self._request_id,
                attempt_id=attempt.id,
            )

    def remember(self, source: Remembered) -> None:
        """Have recorded that an answer was given for which no upstream was asked.

        It costs nothing, and nothing is reserved. It never raises, as `after`.
        """
        now = self._house.clock.now()
        row = remembered_row(
            source,
            request_id=self._request_id,
            principal_id=self._principal.id,
            source=self._source,
            tags=self._tags,
            at=now,
            opens_request=not self._is_open,
        )
        self._is_open = True
        try:
            self._house.writer.close(Closing(row.id, now, None, row))
        except Exception as error:  # the answer is there: the caller shall have it
            logs.event(
                _log,
                logging.ERROR,
                "usage_not_recorded",
                error=error,
                request_id=self._request_id,
                attempt_id=row.id,
            )

    def _reserve(self, attempt: Attempt, plan: Plan) -> Reservation:
        house, reservation = self._house, self._reservation(attempt, plan)
        started_seconds = house.clock.monotonic()
        patience = min(self._deadline.remaining_seconds(), _LONGEST_WAIT_SECONDS)
        verdict = house.writer.reserve(reservation, patience)
        house.metrics.time_wait(house.clock.monotonic() - started_seconds)
        if isinstance(verdict, Busy):
            raise self._too_many(verdict)
        if isinstance(verdict, Refused):
            raise self._exceeded(verdict)
        self._is_open = True
        self._note(*map(notice_of, verdict.passed))
        return reservation

    def _reservation(self, attempt: Attempt, plan: Plan) -> Reservation:
        now = self._house.clock.now()
        left = timedelta(seconds=self._deadline.remaining_seconds())
        return Reservation(
            attempt_id=attempt.id,
            principal_id=self._principal.id,
            request_id=self._request_id,
            subjects=self._subjects,
            day=day_of(now, self._house.zone),
            reserved_nanos=plan.reserved_nanos,
            expected_nanos=plan.expected_nanos,
            created_at=now,
            expires_at=now + left + _MARGIN,
            described=self._describe(attempt),
            concurrent_requests=self._principal.limits.concurrent_requests,
            waived=self._waived.get(attempt.alias, frozenset()),
        )

    def _too_many(self, verdict: Busy) -> RateLimitExceeded:
        self._house.metrics.count_refused("concurrency")
        return RateLimitExceeded(
            "Too many requests at the same time.",
            details=f"The limit of this API token is {verdict.limit}.",
            retry_after_seconds=_CONCURRENCY_RETRY_SECONDS,
        )

    def _exceeded(self, refused: Refused) -> APIError:
        self._house.metrics.count_refused("budget")
        alias = refused.alias
        if alias is not None:
            waived = self._waived.get(alias, frozenset())
            self._waived[alias] = waived | refused.waives
            self._note(notice_of(refused.standing, alias))
        return exceeded(refused, self._house.clock.now(), self._house.zone)

    def _note(self, *notices: BudgetNotice) -> None:
        """Keep the latest notice of each budget."""
        if notices:
            by_budget = {each.budget_id: each for each in (*self.notices, *notices)}
            self.notices = tuple(by_budget.values())

    def _close(self, attempt: Attempt, outcome: Outcome) -> None:
        held = self._held.pop(attempt.id, None)
        if held is None and attempt.plan is not None:
            return  # it was closed before
        bill = bill_of(attempt, outcome)
        self._add_cost(attempt, outcome, bill)
        now = self._house.clock.now()
        reservation = held.reservation if held else None
        row = usage_row(
            attempt.id,
            reservation.described if reservation else self._describe(attempt),
            outcome,
            bill,
            request_id=self._request_id,
            principal_id=self._principal.id,
            began_at=reservation.created_at if reservation else now,
        )
        self._is_open = True
        self._house.writer.close(
            Closing(attempt.id, now, reservation, row, bill.is_released)
        )
        if held:
            used = outcome.usage.tokens_input + outcome.usage.tokens_output
            self._house.limits.correct_tokens(
                self._principal, used - held.tokens, held.charged_at
            )

    def _add_cost(self, attempt: Attempt, outcome: Outcome, bill: Bill) -> None:
        """Count what the attempt costs, or that nobody knows it."""
        label, metrics = attempt.deployment.label, self._house.metrics
        if bill.nanos is not None:
            metrics.count_cost(label, bill.nanos)
            if self.cost_nanos is not None:
                self.cost_nanos += bill.nanos
        elif outcome.usage.tokens_input or outcome.usage.tokens_output:
            metrics.count_unpriced(label)
            self.cost_nanos = None

    def _describe(self, attempt: Attempt) -> Described:
        opens = not self._is_open
        return describe(attempt, self._source, self._tags, opens_request=opens)
