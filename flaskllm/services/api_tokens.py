"""API tokens: made, listed, revoked, and asked who is calling."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from flaskllm.core import logs
from flaskllm.core.auth import (
    BootstrapToken,
    NewToken,
    Principal,
    Scope,
    make_token,
    parse_token,
    same_digest,
    token_digest,
)
from flaskllm.core.clock import Clock
from flaskllm.core.errors import (
    AuthenticationError,
    InvalidInputError,
    NotFound,
    ServiceUnavailable,
)
from flaskllm.core.secrets import KeyRing, Purpose
from flaskllm.services.proven_tokens import ProvenTokens
from flaskllm.storage.api_tokens import ApiTokenRecord, ApiTokens, State

Reason = Literal["missing", "malformed", "unknown", "wrong", "revoked", "expired"]

MAXIMUM_NAME_CHARACTERS = 100

_KIND = "api"
_NO_DIGEST = bytes(32)

_log = logging.getLogger(__name__)


class TokenRefused(AuthenticationError):
    """Why an API token was refused: for the log only, the caller reads one text.

    `token_id` is the id that a well-formed API token claims, else None.
    """

    def __init__(self, reason: Reason, token_id: str | None = None) -> None:
        """Keep the reason beside the public text."""
        super().__init__()
        self.reason = reason
        self.token_id = token_id


@dataclass(frozen=True, slots=True)
class ApiToken:
    """What may be shown of an API token. Times are aware, in UTC."""

    id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    state: State


class ApiTokenService:
    """The use cases of API tokens. Opens nothing before the first of them."""

    def __init__(
        self,
        tokens: ApiTokens,
        keys: KeyRing,
        clock: Clock,
        bootstrap: BootstrapToken | None = None,
    ) -> None:
        """Keep the collaborators; `bootstrap` is the API token of the settings."""
        self._tokens = tokens
        self._keys = keys
        self._clock = clock
        self._bootstrap = bootstrap
        self._proven_lately = ProvenTokens(clock)

    def create(
        self,
        name: str,
        scopes: frozenset[Scope],
        expires_at: datetime | None = None,
        *,
        direct_models: bool = False,
    ) -> NewToken:
        """Make an API token and return it; its text cannot be shown again.

        Args:
            name: 1 to 100 printable characters that tell people what it is for.
            scopes: One or more.
            expires_at: Aware and in the future; None = never.
            direct_models: Whether it may name `provider/model`.

        Raises:
            InvalidInputError: One of them is not as said.
            ServiceUnavailable: It could not be stored.
        """
        now = self._clock.now()
        _check_new(name, scopes, expires_at, now)
        token = make_token(_KIND)
        self._tokens.add(
            ApiTokenRecord(
                token.id,
                _KIND,
                name,
                self._digest(token.text),
                scopes,
                now,
                expires_at,
                direct_models=direct_models,
            )
        )
        return token

    def list_tokens(self) -> tuple[ApiToken, ...]:
        """Return all API tokens, the oldest first, without their secrets."""
        now = self._clock.now()
        return tuple(_shown(record, now) for record in self._tokens.list())

    def has_any(self) -> bool:
        """Tell whether an API token was ever made, revoked ones included."""
        return self._tokens.has_any()

    def revoke(self, token_id: str) -> None:
        """Refuse the API token from now on; to revoke one twice changes nothing.

        Raises:
            NotFound: No API token has this id.
        """
        self._proven_lately.forget()
        if not self._tokens.revoke(token_id, self._clock.now()):
            raise NotFound(f"There is no API token with the id {token_id!r}.")

    def authenticate(self, bearer_text: str | None) -> Principal:
        """Return who is calling.

        A malformed API token is refused without a look into the database. The
        others are looked up by id and compared in constant time, known or not.

        Args:
            bearer_text: What stood after `Bearer `, or None when nothing did.

        Raises:
            TokenRefused: The API token is not good. Callers read the same text
                whatever the reason.
            ServiceUnavailable: The database or the secret cannot be read.
        """
        if not bearer_text:
            raise TokenRefused("missing")
        principal = self._bootstrap and self._bootstrap.principal_for(bearer_text)
        if principal:
            return principal
        parsed = parse_token(bearer_text)
        if parsed is None:
            raise TokenRefused("malformed")
        digest = self._digest(bearer_text)
        record = self._proven_lately.get(digest)
        if record is None:
            now = self._clock.now()
            record = self._proven(parsed.id, digest, now)
            self._note_use(record, now)
            self._proven_lately.put(digest, record)
        return Principal(
            record.id, record.name, record.scopes, record.kind, record.direct_models
        )

    def _proven(self, token_id: str, digest: bytes, now: datetime) -> ApiTokenRecord:
        record = self._tokens.find(token_id)
        expected = record.digest if record else _NO_DIGEST
        is_same = same_digest(expected, digest)
        if record is None:
            raise TokenRefused("unknown", token_id)
        if not is_same:
            raise TokenRefused("wrong", token_id)
        state = record.state_at(now)
        if state != "active":
            raise TokenRefused(state, token_id)
        return record

    def _note_use(self, record: ApiTokenRecord, now: datetime) -> None:
        if not record.touch_is_due(now):
            return
        try:
            self._tokens.touch(record.id, now)
        except ServiceUnavailable as error:
            # A full or locked disk must not lock out those who only read.
            logs.event(
                _log,
                logging.WARNING,
                "api_token_use_not_recorded",
                api_token_id=record.id,
                reason=error.details,
            )

    def _digest(self, text: str) -> bytes:
        return token_digest(self._keys.key(Purpose.API_TOKENS), text)


def _check_new(
    name: str, scopes: frozenset[Scope], expires_at: datetime | None, now: datetime
) -> None:
    # Names go to terminals and logs: no line breaks, no escape sequences.
    if not name.strip() or not name.isprintable():
        allowed = "printable characters, not all of them spaces"
        raise InvalidInputError.of("name", "not readable", allowed)
    if len(name) > MAXIMUM_NAME_CHARACTERS:
        allowed = f"at most {MAXIMUM_NAME_CHARACTERS} characters"
        raise InvalidInputError.of("name", f"{len(name)} characters", allowed)
    if not scopes:
        raise InvalidInputError.of("scopes", "none given", ", ".join(Scope))
    if expires_at is None:
        return
    if expires_at.tzinfo is None:
        allowed = "a time with an offset, such as 2030-01-31T00:00:00Z"
        raise InvalidInputError.of("expires_at", "no offset from UTC", allowed)
    if expires_at <= now:
        problem = f"{expires_at.isoformat()} has passed"
        raise InvalidInputError.of("expires_at", problem, "a time in the future")


def _shown(record: ApiTokenRecord, now: datetime) -> ApiToken:
    return ApiToken(
        id=record.id,
        name=record.name,
        scopes=record.scopes,
        created_at=record.created_at,
        expires_at=record.expires_at,
        last_used_at=record.last_used_at,
        state=record.state_at(now),
    )
