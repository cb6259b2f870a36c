"""API tokens as they are shown and compared: records, grants, differences. Pure."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, cast

from flaskllm.core.auth import Principal
from flaskllm.core.paging import Place
from flaskllm.core.subjects import principal_subject, subjects_of, tag_subject
from flaskllm.services.grants import Grant, Holding, check_within, grant_of
from flaskllm.storage.api_tokens import ApiTokenRecord, BudgetsOf, State
from flaskllm.storage.budgets import BudgetRow

GIVES_MORE = "An API token cannot be given more than yours has."
HAS_MORE = "This API token has more than yours."

_FIELDS = tuple(each.name for each in fields(Grant))


@dataclass(frozen=True, slots=True)
class ApiToken:
    """What may be shown of an API token. Times are aware, in UTC.

    `created_at` is None for the API token of the settings alone.
    `previous_until` is when the secret before the last roll ends; None without one.
    """

    id: str
    grant: Grant
    state: State
    created_at: datetime | None
    created_by: str
    last_used_at: datetime | None
    revoked_at: datetime | None
    previous_until: datetime | None

    def place(self) -> Place:
        """Return where the next page begins, when this is the last of its page."""
        return Place(cast(datetime, self.created_at), self.id)


def shown(record: ApiTokenRecord, now: datetime) -> ApiToken:
    """Return what may be shown of a record at this moment, which is aware."""
    until = record.previous_until
    return ApiToken(
        record.id,
        grant_in(record),
        record.state_at(now),
        record.created_at,
        record.created_by,
        record.last_used_at,
        record.revoked_at,
        until if until is not None and until > now else None,
    )


def of_settings(principal: Principal) -> ApiToken:
    """Return what may be shown of the API token of the settings."""
    return ApiToken(
        principal.id, grant_of(principal), "active", None, "", None, None, None
    )


def grant_in(record: ApiTokenRecord) -> Grant:
    """Return what an API token was given."""
    return Grant(**{name: getattr(record, name) for name in _FIELDS})


def columns(grant: Grant) -> dict[str, Any]:
    """Return the fields of a record that hold the grant."""
    return {name: getattr(grant, name) for name in _FIELDS}


def described(grant: Grant) -> dict[str, Any]:
    """Return the grant as plain JSON, for the audit."""
    return {name: _plain(value) for name, value in asdict(grant).items()}


def difference(before: Grant, after: Grant) -> dict[str, Any]:
    """Return the fields that differ, each as its old and its new value, plain JSON."""
    old, new = described(before), described(after)
    return {
        name: {"old": old[name], "new": new[name]}
        for name in old
        if old[name] != new[name]
    }


def check_giver(
    by: Principal | None,
    token_id: str,
    grant: Grant,
    budgets_of: BudgetsOf,
    reason: str,
    new_budgets: Collection[BudgetRow] = (),
) -> None:
    """Return when the giver has all that the API token has, or is to have.

    Args:
        by: The giver; None is the operator, who may do everything.
        token_id: The principal who has the grant, or is to have it.
        grant: What that is.
        budgets_of: Returns the budgets of subjects.
        reason: The sentence of the refusal.
        new_budgets: Those that will bind it besides.

    Raises:
        PermissionDenied: It is more; the fields name what, and what is allowed.
    """
    if by is None:
        return
    subjects = (principal_subject(token_id), *map(tag_subject, grant.tags))
    wanted = Holding(grant, (*budgets_of(subjects), *new_budgets))
    own = Holding(grant_of(by), budgets_of(subjects_of(by)))
    check_within(wanted, own, reason)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else value
