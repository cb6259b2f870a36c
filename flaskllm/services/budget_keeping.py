"""Who may spend how much: budgets made, shown, changed and removed."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from flaskllm.core.auth import BOOTSTRAP, Actor, Principal
from flaskllm.core.clock import Clock
from flaskllm.core.errors import InvalidInputError, NotFound
from flaskllm.core.ids import new_id
from flaskllm.core.periods import PERIODS, Period, day_of, period_end
from flaskllm.core.subjects import TAG_RULE, principal_of, subjects_of, tag_of
from flaskllm.llm.allowed import EVERYTHING, Allowed
from flaskllm.llm.model_names import nearest, shown
from flaskllm.services.budget_grants import check_change
from flaskllm.storage.budget_rows import BudgetRows
from flaskllm.storage.budgets import BudgetRow, BudgetStanding, Kind

__all__ = [
    "MOST_NANOS",
    "BudgetReport",
    "Budgets",
    "Kind",
    "NewBudget",
    "Period",
]

MOST_NANOS = 10**18
"""A thousand million dollars: no budget is larger."""

_SUBJECTS = "principal:ID or tag:NAME"
_NANOS = f"a whole number of nano-dollars from 0 to {MOST_NANOS}"
_KINDS: tuple[Kind, ...] = get_args(Kind)
_PREFIX = "bud"
# What is no id of ours is not looked up: not every text may be asked for.
_SANE_ID = re.compile(rf"{_PREFIX}_[0-9A-Za-z]{{20}}")

Changeable = Literal["kind", "limit_nanos", "on_exhausted"]


@dataclass(frozen=True, slots=True)
class NewBudget:
    """A budget that is wanted, see `storage.budgets.BudgetRow`."""

    subject: str
    period: Period
    kind: Kind
    limit_nanos: int
    on_exhausted: str | None = None


@dataclass(frozen=True, slots=True)
class BudgetReport:
    """How a budget stands now, and when its period is over: aware, its zone told."""

    standing: BudgetStanding
    resets_at: datetime

    @property
    def budget(self) -> BudgetRow:
        """Return the budget itself."""
        return self.standing.budget

    @property
    def settled_nanos(self) -> int:
        """Return what attempts that ended have cost."""
        return self.standing.spent_nanos - self.standing.reserved_nanos

    @property
    def remaining_nanos(self) -> int:
        """Return what can still be reserved, never below 0."""
        return max(0, self.budget.limit_nanos - self.standing.spent_nanos)


class Budgets:
    """Keeps the budgets. `by` is who changes one; None is the operator's own shell."""

    def __init__(
        self,
        rows: BudgetRows,
        is_principal: Callable[[str], bool],
        aliases: Callable[[], Collection[str]],
        clock: Clock,
        zone: ZoneInfo,
    ) -> None:
        """Keep the collaborators; nothing is opened.

        Args:
            rows: The table.
            is_principal: Tells whether an id is that of an API token's record.
            aliases: Returns the names that may take over, as they stand now.
            clock: Tells the present period.
            zone: The reporting time zone.
        """
        self._rows = rows
        self._is_principal = is_principal
        self._aliases = aliases
        self._clock = clock
        self._zone = zone

    def create(
        self, wanted: NewBudget, by: Principal | None, actor: Actor
    ) -> BudgetReport:
        """Return the budget, which holds for every attempt from now on.

        Raises:
            InvalidInputError: A field is wrong; it is named.
            PermissionDenied: It allows more than `by` has.
            Conflict: The subject has a budget of this period and kind.
            ServiceUnavailable: Nothing was stored; a retry may help.
        """
        self._check_subject(wanted.subject)
        row = self.draft(wanted, by, actor)
        check_change(self._binding(by), None, row, _names(by))
        self._rows.add(row, actor)
        return self._found(row.id)

    def draft(self, wanted: NewBudget, by: Principal | None, actor: Actor) -> BudgetRow:
        """Return the row of a new budget, for whoever stores it with something else.

        Its subject need not exist yet, and nothing tells yet who may set it.

        Raises:
            InvalidInputError: A field is wrong; it is named.
        """
        if wanted.period not in PERIODS:
            raise _unknown("period", wanted.period, PERIODS)
        row = BudgetRow(
            id=new_id(_PREFIX),
            subject=wanted.subject,
            period=wanted.period,
            kind=wanted.kind,
            limit_nanos=wanted.limit_nanos,
            on_exhausted=wanted.on_exhausted,
            created_at=self._clock.now(),
            created_by=actor.principal_id,
        )
        self._check(row, by)
        return row

    def list_all(self, subject: str | None = None) -> tuple[BudgetReport, ...]:
        """Return every budget, or those of one subject, by subject, oldest first.

        Raises:
            InvalidInputError: That is no subject.
            ServiceUnavailable: The database cannot be read; a retry may help.
        """
        if subject is None:
            return self._listed(None)
        if principal_of(subject) is None and tag_of(subject) is None:
            raise _no_subject(subject)
        return self._listed((subject,))

    def list_own(self, principal: Principal) -> tuple[BudgetReport, ...]:
        """Return the budgets of a principal and of its tags.

        Raises:
            ServiceUnavailable: The database cannot be read; a retry may help.
        """
        return self._listed(subjects_of(principal))

    def get(self, budget_id: str, viewer: Principal | None = None) -> BudgetReport:
        """Return one budget.

        Args:
            budget_id: Its id.
            viewer: Who sees only their own budgets and those of their tags; None sees
                every one.

        Raises:
            NotFound: There is none with this id, or none that the viewer may see.
            ServiceUnavailable: The database cannot be read; a retry may help.
        """
        report = self._found(budget_id)
        if viewer is not None and report.budget.subject not in subjects_of(viewer):
            raise _not_found()
        return report

    def update(
        self,
        budget_id: str,
        changes: Mapping[Changeable, object],
        by: Principal | None,
        actor: Actor,
    ) -> BudgetReport:
        """Return the budget with these fields changed; what was spent stays.

        Raises:
            NotFound: There is none with this id.
            InvalidInputError: A field is wrong; it is named.
            PermissionDenied: It allows more than `by` has.
            Conflict: The subject has another budget of this period and kind.
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        if not changes:
            allowed = ", ".join(get_args(Changeable))
            raise InvalidInputError.of("body", "changes nothing", allowed)
        binding = self._binding(by)

        def change(old: BudgetRow) -> BudgetRow:
            new = replace(old, **changes)  # type: ignore[arg-type]  # checked next
            self._check(new, by)
            check_change(binding, old, new, _names(by))
            return new

        now = self._clock.now()
        if self._rows.change(_sane(budget_id), change, actor, now) is None:
            raise _not_found()
        return self._found(budget_id)

    def remove(self, budget_id: str, by: Principal | None, actor: Actor) -> None:
        """Remove a budget: nothing is held back by it any more.

        Raises:
            NotFound: There is none with this id.
            PermissionDenied: A hard budget binds `by`, and this is one.
            ServiceUnavailable: Nothing was removed; a retry may help.
        """
        binding = self._binding(by)

        def check(row: BudgetRow) -> None:
            check_change(binding, row, None)

        if not self._rows.remove(_sane(budget_id), check, actor, self._clock.now()):
            raise _not_found()

    def _found(self, budget_id: str) -> BudgetReport:
        day = day_of(self._clock.now(), self._zone)
        standing = self._rows.standing(_sane(budget_id), day)
        if standing is None:
            raise _not_found()
        return self._report(standing)

    def _listed(self, subjects: Collection[str] | None) -> tuple[BudgetReport, ...]:
        day = day_of(self._clock.now(), self._zone)
        return tuple(map(self._report, self._rows.standings(subjects, day)))

    def _report(self, standing: BudgetStanding) -> BudgetReport:
        ends = period_end(standing.budget.period, standing.period_start, self._zone)
        return BudgetReport(standing, ends.astimezone(self._zone))

    def _binding(self, by: Principal | None) -> tuple[BudgetRow, ...]:
        return () if by is None else self._rows.hard(subjects_of(by))

    def _check_subject(self, subject: str) -> None:
        if tag_of(subject) is not None:
            return
        principal_id = principal_of(subject)
        if principal_id is None:
            raise _no_subject(subject)
        if principal_id != BOOTSTRAP.id and not self._is_principal(principal_id):
            problem = f"{shown(subject)} does not exist"
            raise InvalidInputError.of("subject", problem, "an API token's id")

    def _check(self, row: BudgetRow, by: Principal | None) -> None:
        """Refuse what a budget cannot be, whoever wants it."""
        if row.kind not in _KINDS:
            raise _unknown("kind", row.kind, _KINDS)
        limit = row.limit_nanos
        if type(limit) is not int or not 0 <= limit <= MOST_NANOS:
            raise InvalidInputError.of("limit_nanos", "is out of bounds", _NANOS)
        if row.on_exhausted is None:
            return
        if row.kind == "soft":
            problem = "a soft budget stops nothing, so nothing takes over"
            raise InvalidInputError.of("on_exhausted", problem, "null, or kind hard")
        if row.on_exhausted not in self._aliases():
            # Nobody hears of names that they may not send.
            aliases = _names(by).among(self._aliases())
            near = nearest(row.on_exhausted, aliases) or tuple(aliases)
            raise _unknown("on_exhausted", row.on_exhausted, near)


def _names(by: Principal | None) -> Allowed:
    return EVERYTHING if by is None else Allowed(by.aliases)


def _sane(budget_id: str) -> str:
    if _SANE_ID.fullmatch(budget_id) is None:
        raise _not_found()
    return budget_id


def _no_subject(subject: str) -> InvalidInputError:
    problem = f"{shown(subject)} is neither a principal nor a tag"
    allowed = f"{_SUBJECTS}, a tag being {TAG_RULE}"
    return InvalidInputError.of("subject", problem, allowed)


def _unknown(path: str, found: object, allowed: Collection[str]) -> InvalidInputError:
    told = ", ".join(allowed) or "none"
    return InvalidInputError.of(path, f"{shown(str(found))} is unknown", told)


def _not_found() -> NotFound:
    # Word for word the same for what is not there and for what is another's.
    return NotFound("There is no such budget.")
