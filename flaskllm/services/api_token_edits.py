"""What becomes of an API token that is changed, rolled or revoked. Pure.

Each function returns the edit for `ApiTokens.change`: it is asked once the record
can no longer change under it, and raises where nothing must be done.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from flaskllm.core.auth import Actor, Principal
from flaskllm.core.errors import Conflict
from flaskllm.services.api_token_records import (
    GIVES_MORE,
    HAS_MORE,
    check_giver,
    columns,
    difference,
    grant_in,
)
from flaskllm.services.grant_checks import check_grant
from flaskllm.storage.api_tokens import (
    ApiTokenRecord,
    BudgetsOf,
    Edit,
    Noted,
    TokenEdit,
)


@dataclass(frozen=True, slots=True)
class Editor:
    """Who edits, and when. `by` has the rights that count; None is the operator."""

    actor: Actor
    by: Principal | None
    now: datetime

    def noted(self, action: str, details: Mapping[str, Any] | None = None) -> Noted:
        """Return what the audit tells of an action."""
        return Noted(action, self.actor, self.now, details or {})


def update(changes: Mapping[str, Any], editor: Editor) -> TokenEdit:
    """Return the edit that gives these fields of the grant their new values.

    It raises Conflict for one that was revoked, InvalidInputError for a grant that
    makes no sense, and PermissionDenied where it has, or would have, more than the
    editor.
    """

    def edit(record: ApiTokenRecord, budgets_of: BudgetsOf) -> Edit | None:
        _check_not_revoked(record)
        before = grant_in(record)
        check_giver(editor.by, record.id, before, budgets_of, HAS_MORE)
        after = check_grant(replace(before, **changes), editor.now, before)
        check_giver(editor.by, record.id, after, budgets_of, GIVES_MORE)
        if after == before:
            return None
        noted = editor.noted("token.update", difference(before, after))
        return Edit(replace(record, **columns(after)), noted)

    return edit


def roll(digest: bytes, overlap_seconds: int, editor: Editor) -> TokenEdit:
    """Return the edit that puts the digest of a new secret in the first place.

    It raises Conflict for one that was revoked or has expired, and PermissionDenied
    where it has more than the editor, who sees the new secret.
    """
    overlap = timedelta(seconds=overlap_seconds)
    until = editor.now + overlap if overlap else None

    def edit(record: ApiTokenRecord, budgets_of: BudgetsOf) -> Edit:
        _check_not_revoked(record)
        if record.state_at(editor.now) == "expired":
            raise Conflict(details="It has expired; change `expires_at` first.")
        check_giver(editor.by, record.id, grant_in(record), budgets_of, HAS_MORE)
        rolled = replace(
            record,
            digest=digest,
            previous_digest=record.digest if until else None,
            previous_until=until,
        )
        return Edit(
            rolled, editor.noted("token.roll", {"overlap_seconds": overlap_seconds})
        )

    return edit


def revoke(editor: Editor) -> TokenEdit:
    """Return the edit that ends both secrets; who was revoked before stays so."""

    def edit(record: ApiTokenRecord, _budgets_of: BudgetsOf) -> Edit | None:
        if record.revoked_at is not None:
            return None
        revoked = replace(
            record, revoked_at=editor.now, previous_digest=None, previous_until=None
        )
        return Edit(revoked, editor.noted("token.revoke"))

    return edit


def _check_not_revoked(record: ApiTokenRecord) -> None:
    if record.revoked_at is not None:
        raise Conflict(details="It was revoked, and stays so; make a new one.")
