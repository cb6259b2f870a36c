"""API tokens: made, listed, changed, rolled, revoked, and asked who is calling."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flaskllm.core import logs
from flaskllm.core.auth import (
    BOOTSTRAP,
    Actor,
    NewToken,
    Principal,
    is_token_id,
    make_token,
)
from flaskllm.core.clock import Clock
from flaskllm.core.errors import InvalidInputError, NotFound
from flaskllm.core.paging import Place
from flaskllm.core.subjects import principal_subject
from flaskllm.services import api_token_edits as edits
from flaskllm.services import api_token_records as records
from flaskllm.services.api_token_edits import Editor
from flaskllm.services.api_token_records import GIVES_MORE, ApiToken
from flaskllm.services.authentication import Authentication, Reason, TokenRefused
from flaskllm.services.grant_checks import check_grant
from flaskllm.services.grants import Grant
from flaskllm.storage.api_tokens import (
    ApiTokenRecord,
    ApiTokens,
    BudgetsOf,
    Noted,
    TokenEdit,
)
from flaskllm.storage.budgets import BudgetRow

__all__ = [
    "ApiToken",
    "ApiTokenService",
    "BudgetRow",
    "Grant",
    "Reason",
    "TokenRefused",
]

LONGEST_OVERLAP_SECONDS = 30 * 86_400

_KIND = "api"

_log = logging.getLogger(__name__)


class ApiTokenService:
    """The use cases of API tokens. Opens nothing before the first of them."""

    def __init__(
        self, tokens: ApiTokens, authentication: Authentication, clock: Clock
    ) -> None:
        """Keep the collaborators.

        Args:
            tokens: The table.
            authentication: Tells who is calling, and hears of each change.
            clock: Tells when things are made, and what has expired.
        """
        self._tokens = tokens
        self._authentication = authentication
        self._clock = clock

    def authenticate(self, bearer_text: str | None) -> Principal:
        """Return who is calling, see `Authentication.authenticate`."""
        return self._authentication.authenticate(bearer_text)

    def is_good(self, bearer_text: str | None) -> bool:
        """Tell whether one that was good is so still, see `Authentication.is_good`."""
        return self._authentication.is_good(bearer_text)

    def create(
        self,
        grant: Grant,
        *,
        actor: Actor,
        by: Principal | None = None,
        budgets: Callable[[str], Sequence[BudgetRow]] = lambda subject: (),
    ) -> NewToken:
        """Make an API token and return it; its text cannot be shown again.

        Args:
            grant: What it is given.
            actor: Who makes it, for the audit.
            by: Whose rights it must not exceed; None is the operator.
            budgets: Returns the first budgets for the subject of the new principal.

        Raises:
            InvalidInputError: The grant is not as `check_grant` says.
            PermissionDenied: It is more than the giver has.
            ServiceUnavailable: It could not be stored; nothing was.
        """
        now = self._clock.now()
        grant = check_grant(grant, now)
        token = make_token(_KIND)
        own = tuple(budgets(principal_subject(token.id)))
        record = ApiTokenRecord(
            id=token.id,
            kind=_KIND,
            digest=self._authentication.digest(token.text),
            created_at=now,
            created_by=actor.principal_id[:40],
            **records.columns(grant),
        )

        def check(budgets_of: BudgetsOf) -> None:
            records.check_giver(by, token.id, grant, budgets_of, GIVES_MORE, own)

        noted = Noted("token.create", actor, now, records.described(grant))
        self._tokens.add(record, noted, own, check)
        _tell("api_token_created", token.id, actor)
        return token

    def list_tokens(self) -> tuple[ApiToken, ...]:
        """Return all API tokens, the oldest first, without their secrets."""
        now = self._clock.now()
        return tuple(records.shown(record, now) for record in self._tokens.list())

    def page(self, most: int, after: Place | None = None) -> tuple[ApiToken, ...]:
        """Return at most so many behind this place, the oldest first."""
        now = self._clock.now()
        found = self._tokens.page(most, after)
        return tuple(records.shown(record, now) for record in found)

    def get(self, token_id: str) -> ApiToken:
        """Return one API token, revoked and expired ones too.

        Raises:
            NotFound: No API token has this id.
        """
        return self._shown(self._tokens.find(_sane(token_id)))

    def own(self, principal: Principal) -> ApiToken:
        """Return the API token of this principal."""
        if principal.kind == BOOTSTRAP.kind:
            return records.of_settings(principal)
        return self.get(principal.id)

    def has_any(self) -> bool:
        """Tell whether an API token was ever made, revoked ones included."""
        return self._tokens.has_any()

    def update(
        self,
        token_id: str,
        changes: Mapping[str, Any],
        *,
        actor: Actor,
        by: Principal | None = None,
    ) -> ApiToken:
        """Change what an API token is given; it takes effect here at once.

        Args:
            token_id: Whose.
            changes: Fields of `Grant` with their new values; others stay.
            actor: Who changes it, for the audit.
            by: Whose rights it may not exceed; None is the operator.

        Raises:
            NotFound: No API token has this id.
            Conflict: It was revoked, and stays so.
            InvalidInputError: The grant is not as `check_grant` says.
            PermissionDenied: It has, or would have, more than the giver.
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        edit = edits.update(changes, Editor(actor, by, self._clock.now()))
        return self._change(token_id, edit, "api_token_updated", actor)

    def roll(
        self,
        token_id: str,
        overlap_seconds: int,
        *,
        actor: Actor,
        by: Principal | None = None,
    ) -> NewToken:
        """Give an API token a new secret and return it; its id stays.

        Args:
            token_id: Whose.
            overlap_seconds: How long the old secret stays good, 0 to 30 days. One
                that was old already ends at once.
            actor: Who rolls it, for the audit.
            by: Whose rights it may not exceed; None is the operator.

        Raises:
            NotFound: No API token has this id.
            Conflict: It was revoked or has expired.
            InvalidInputError: The overlap is too long or negative.
            PermissionDenied: It has more than the one who would see its secret.
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        if not 0 <= overlap_seconds <= LONGEST_OVERLAP_SECONDS:
            allowed = f"0 to {LONGEST_OVERLAP_SECONDS}"
            raise InvalidInputError.of("overlap_seconds", str(overlap_seconds), allowed)
        token = make_token(_KIND, _sane(token_id))
        digest = self._authentication.digest(token.text)
        edit = edits.roll(digest, overlap_seconds, Editor(actor, by, self._clock.now()))
        self._change(token_id, edit, "api_token_rolled", actor)
        return token

    def revoke(self, token_id: str, *, actor: Actor) -> ApiToken:
        """Refuse the API token from now on; to revoke one twice changes nothing.

        Raises:
            NotFound: No API token has this id.
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        edit = edits.revoke(Editor(actor, None, self._clock.now()))
        return self._change(token_id, edit, "api_token_revoked", actor)

    def _change(
        self, token_id: str, edit: TokenEdit, event: str, actor: Actor
    ) -> ApiToken:
        self._authentication.announce()
        try:
            record = self._tokens.change(_sane(token_id), edit)
        finally:
            # Also when it failed: the commit itself may have, after it was made.
            self._authentication.forget()
        shown = self._shown(record)
        _tell(event, token_id, actor)
        return shown

    def _shown(self, record: ApiTokenRecord | None) -> ApiToken:
        if record is None:
            raise _not_found()
        return records.shown(record, self._clock.now())


def _tell(event: str, token_id: str, actor: Actor) -> None:
    logs.event(_log, logging.INFO, event, api_token_id=token_id, by=actor.principal_id)


def _sane(token_id: str) -> str:
    """Return the id if it may be one at all; no other text reaches the database."""
    if not is_token_id(token_id):
        raise _not_found()
    return token_id


def _not_found() -> NotFound:
    return NotFound("There is no API token with this id.")
