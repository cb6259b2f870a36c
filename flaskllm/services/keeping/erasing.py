"""Erasing: all that one principal has made goes, and what it cost stays."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from flaskllm.core.auth import BOOTSTRAP, Actor, is_token_id
from flaskllm.core.clock import Clock
from flaskllm.core.errors import Conflict, NotFound
from flaskllm.services.api_token_records import shown
from flaskllm.storage.api_tokens import ApiTokens
from flaskllm.storage.audit import AuditRows
from flaskllm.storage.database import Database
from flaskllm.storage.erasing import CONTENT, PrincipalData
from flaskllm.storage.job_endings import JobEndings
from flaskllm.storage.workflows import Workflows

MOST_AT_ONCE: Final = 100
"""Rows of one transaction: each may hold megabytes, which are overwritten."""

_MOST_NUMBERS: Final = 500

WITHOUT_TOKENS: Final = frozenset({BOOTSTRAP.id, "command-line"})
"""Principals that have no API token in the database."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was done.

    Attributes:
        counts: How many jobs were cancelled, and how many rows were removed from
            which table; only what is not 0.
        is_complete: Whether nothing was left. Else ask once more.
    """

    counts: Mapping[str, int]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class _Wanted:
    principal_id: str
    accounts: bool
    is_late: Callable[[], bool]
    counts: Counter[str] = field(default_factory=Counter)


class Erasing:
    """The use case of a principal whose data has to go."""

    def __init__(
        self,
        data: PrincipalData,
        endings: JobEndings,
        workflows: Workflows,
        tokens: ApiTokens,
        audit: AuditRows,
        database: Database,
        clock: Clock,
        forget_answers: Callable[[str], int],
    ) -> None:
        """Keep the collaborators; nothing is opened.

        Args:
            data: The tables.
            endings: Where open jobs are cancelled.
            workflows: Those that need not go on.
            tokens: Tells who is a principal, and whether it may still call.
            audit: Where it is noted.
            database: Whose log is folded.
            clock: Times it.
            forget_answers: Removes what the cache holds of a principal, wherever that
                is; returns how many.
        """
        self._data = data
        self._endings = endings
        self._workflows = workflows
        self._tokens = tokens
        self._audit = audit
        self._database = database
        self._clock = clock
        self._forget_answers = forget_answers

    def erase(
        self,
        principal_id: str,
        actor: Actor,
        *,
        accounts: bool = False,
        most_seconds: float = float("inf"),
    ) -> Erased:
        """Remove what a principal has made until now, in small transactions.

        It can be stopped at any time and asked for again: what is left is found. Who
        is not revoked may go on and make more.

        Args:
            principal_id: Whose.
            actor: Who asks, for the audit.
            accounts: Whether usage and money go as well; of those who are revoked or
                expired only, as a budget would begin anew.
            most_seconds: No transaction begins after so long.

        Raises:
            NotFound: There is no such principal.
            Conflict: `accounts` is asked for and its API token is active.
            ServiceUnavailable: What was removed until then is gone; a retry may help.
        """
        self._check(principal_id, accounts)
        until_seconds = self._clock.monotonic() + most_seconds
        wanted = _Wanted(
            principal_id, accounts, lambda: self._clock.monotonic() >= until_seconds
        )
        self._note(actor, "token.purge", principal_id, {"accounts": accounts})
        is_complete = all(self._parts(wanted))
        # What was removed shall lie in no log either.
        self._database.fold_log()
        counts = {name: count for name, count in wanted.counts.items() if count}
        if is_complete:
            self._note(actor, "token.purged", principal_id, counts)
        return Erased(counts, is_complete)

    def _parts(self, wanted: _Wanted) -> Iterator[bool]:
        """Do part after part; yield whether each was done to its end."""
        yield self._cancel(wanted)
        for table in CONTENT:
            yield self._remove(table.name, wanted)
        wanted.counts["cache"] += self._forget_answers(wanted.principal_id)
        if wanted.accounts:
            yield not self._data.has_open_attempts(wanted.principal_id)
            yield self._remove_usage(wanted)
            yield self._remove_entries(wanted)
            wanted.counts["spending"] += self._data.remove_spending(wanted.principal_id)

    def _cancel(self, wanted: _Wanted) -> bool:
        while ids := self._data.open_jobs(wanted.principal_id, MOST_AT_ONCE):
            for job_id in ids:
                if wanted.is_late():
                    return False
                done = self._endings.cancel(job_id, wanted.principal_id)
                if done is not None and done.was_open:
                    self._workflows.cancel(done.workflow_ids)
                    wanted.counts["cancelled"] += 1
        return True

    def _remove(self, name: str, wanted: _Wanted) -> bool:
        (table,) = (each for each in CONTENT if each.name == name)
        last = None
        while True:
            if wanted.is_late():
                return False
            step = self._data.remove(table, wanted.principal_id, last, MOST_AT_ONCE)
            wanted.counts[name] += step.count
            last = step.last
            if last is None:
                return True

    def _remove_usage(self, wanted: _Wanted) -> bool:
        while not wanted.is_late():
            count = self._data.remove_usage(wanted.principal_id, _MOST_NUMBERS)
            wanted.counts["usage"] += count
            if count < _MOST_NUMBERS:
                return True
        return False

    def _remove_entries(self, wanted: _Wanted) -> bool:
        last: str | None = None
        while not wanted.is_late():
            count, last = self._data.remove_entries(
                wanted.principal_id, last, _MOST_NUMBERS
            )
            wanted.counts["ledger"] += count
            if last is None:
                return True
        return False

    def _check(self, principal_id: str, accounts: bool) -> None:
        if self._is_active(principal_id) and accounts:
            raise Conflict(
                "The API token is active.",
                details="Revoke it first: with its accounts removed its budgets would "
                "begin anew.",
            )

    def _is_active(self, principal_id: str) -> bool:
        if principal_id in WITHOUT_TOKENS:
            return True
        # No other text reaches the database.
        is_sane = is_token_id(principal_id)
        record = self._tokens.find(principal_id) if is_sane else None
        if record is None:
            raise NotFound("There is no principal with this id.")
        return shown(record, self._clock.now()).state == "active"

    def _note(
        self, actor: Actor, action: str, object_id: str, details: Mapping[str, object]
    ) -> None:
        self._audit.add(actor, action, object_id, self._clock.now(), details)
