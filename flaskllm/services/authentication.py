"""Who is calling: an API token proved against the store, or remembered."""

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Literal

from flaskllm.core import logs
from flaskllm.core.auth import (
    BootstrapToken,
    Principal,
    parse_token,
    same_digest,
    token_digest,
)
from flaskllm.core.clock import Clock
from flaskllm.core.errors import AuthenticationError, ServiceUnavailable
from flaskllm.core.secrets import KeyRing, Purpose
from flaskllm.services.principals import Principals, Proven
from flaskllm.storage.api_tokens import ApiTokenRecord, ApiTokens, touch_is_due

Reason = Literal[
    "missing", "malformed", "unknown", "wrong", "rolled", "revoked", "expired"
]
"""`rolled` is the secret before the last roll, whose time of grace is over."""

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


class Authentication:
    """Proves API tokens, and remembers those that proved good."""

    def __init__(
        self,
        tokens: ApiTokens,
        keys: KeyRing,
        clock: Clock,
        read_counter: Callable[[], int],
        bootstrap: BootstrapToken | None = None,
        announce: Callable[[], None] = lambda: None,
    ) -> None:
        """Keep the collaborators; nothing is opened.

        Args:
            tokens: The table.
            keys: Those under which the digests are made.
            clock: Tells what has expired.
            read_counter: Returns how often API tokens were changed.
            bootstrap: The API token of the settings.
            announce: Tells the others that one is about to be changed.
        """
        self._tokens = tokens
        self._keys = keys
        self._clock = clock
        self._bootstrap = bootstrap
        self._announce = announce
        self._principals = Principals(read_counter, clock)

    def digest(self, text: str) -> bytes:
        """Return the digest of an API token under the present master secret.

        Raises:
            ServiceUnavailable: The secret cannot be read.
        """
        return token_digest(self._keys.key(Purpose.API_TOKENS), text)

    def announce(self) -> None:
        """Tell all processes to look closely: one is about to be changed."""
        self._announce()

    def forget(self) -> None:
        """Prove everybody anew: an API token was changed by this process."""
        self._principals.forget()

    def authenticate(self, bearer_text: str | None) -> Principal:
        """Return who is calling.

        A malformed API token is refused without a look into the database. Who is
        not remembered is looked up by id and compared in constant time, known or
        not.

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
        digest = self.digest(bearer_text)
        prove = partial(self._prove, parsed.id, bearer_text, digest)
        proven = self._principals.find(digest, prove)
        self._note_use(proven)
        return proven.principal

    def is_good(self, bearer_text: str | None) -> bool:
        """Tell whether an API token that was good is so still.

        For answers that are under way. It costs what a warm request costs: nothing
        of the database but the counter, once a second in all, and a look at the
        row when some API token was changed.

        Raises:
            ServiceUnavailable: Nobody can tell at the moment.
        """
        try:
            self.authenticate(bearer_text)
        except AuthenticationError:
            return False
        return True

    def _prove(self, token_id: str, text: str, digest: bytes) -> Proven:
        now = self._clock.now()
        record = self._tokens.find(token_id)
        # Each is compared with each, whatever was found: the time tells nothing.
        digests = self._digests(text, digest)
        current = (record and record.digest) or _NO_DIGEST
        previous = (record and record.previous_digest) or _NO_DIGEST
        as_current = [same_digest(current, each) for each in digests]
        as_previous = [same_digest(previous, each) for each in digests]
        if record is None:
            raise TokenRefused("unknown", token_id)
        if not any(as_current) and not any(as_previous):
            raise TokenRefused("wrong", token_id)
        until = _end_of(record, now, is_previous=not any(as_current))
        if not as_current[0] and not as_previous[0]:
            found = as_current if any(as_current) else as_previous
            self._take_over(token_id, digests[found.index(True)], digest)
        return Proven(record.principal(), until, record.last_used_at)

    def _digests(self, text: str, digest: bytes) -> tuple[bytes, ...]:
        """Return the digests under every master secret, the present one first."""
        _, *others = self._keys.keys(Purpose.API_TOKENS)
        return (digest, *(token_digest(key, text) for key in others))

    def _take_over(self, token_id: str, old: bytes, new: bytes) -> None:
        """Keep the digest under the present master secret; the other one may go."""
        try:
            self._tokens.replace_digest(token_id, old, new)
        except ServiceUnavailable as error:
            self._tell("api_token_digest_not_replaced", token_id, error)

    def _note_use(self, proven: Proven) -> None:
        now = self._clock.now()
        if not touch_is_due(proven.used_at, now):
            return
        # Before it is written: other threads need not, and a failure can wait.
        proven.used_at = now
        try:
            self._tokens.touch(proven.principal.id, now)
        except ServiceUnavailable as error:
            # A full or locked disk must not lock out those who only read.
            self._tell("api_token_use_not_recorded", proven.principal.id, error)

    def _tell(self, event: str, token_id: str, error: ServiceUnavailable) -> None:
        logs.event(
            _log,
            logging.WARNING,
            event,
            api_token_id=token_id,
            reason=error.details,
        )


def _end_of(
    record: ApiTokenRecord, now: datetime, *, is_previous: bool
) -> datetime | None:
    """Return until when this proof holds; None is for ever.

    Raises:
        TokenRefused: It does not hold any more.
    """
    state = record.state_at(now)
    if state != "active":
        raise TokenRefused(state, record.id)
    if not is_previous:
        return record.expires_at
    until = record.previous_until
    if until is None or until <= now:
        raise TokenRefused("rolled", record.id)
    return until if record.expires_at is None else min(until, record.expires_at)
