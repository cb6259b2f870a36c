"""Idempotency keys: who repeats a request gets its answer, and it is run once.

Whoever brings a key claims it before the request is run. Its lease is short and
lengthened as long as the request runs, so that a process which dies frees it soon.
Only the one who still holds the claim can store the answer.
"""

import json
import logging
from copy import copy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from flaskllm.core import logs
from flaskllm.core.auth import same_digest
from flaskllm.core.clock import Clock
from flaskllm.core.errors import (
    APIError,
    Conflict,
    IdempotencyKeyReused,
    ServiceUnavailable,
)
from flaskllm.core.ids import new_id
from flaskllm.core.secrets import KeyRing, Purpose
from flaskllm.services.claims import Claim, RunningClaims
from flaskllm.services.request_prints import KeyedRequest, prints_of
from flaskllm.storage.idempotency import (
    RUNNING,
    Held,
    IdempotencyRows,
    NewClaim,
    StoredAnswer,
)

KEPT_FOR: Final = timedelta(hours=24)
"""How long, unless the settings say otherwise."""

MOST_ANSWER_BYTES: Final = 32 * 1024 * 1024

_IN_FLIGHT_SECONDS: Final = 1.0
_NOT_RUN: Final = (
    "The request was not run: a repetition of it could not have been told."
)
_MOST_AT_ONCE: Final = 100

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer as it went out: `headers` are those that belong to it alone.

    `request_id` is that of the request which was run.
    """

    request_id: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)


class Idempotency:
    """Gives out claims and keeps answers, each principal's apart.

    Neither a key nor a request is stored, only what the master secret makes of
    them: a key may be somebody's mail id.
    """

    def __init__(
        self,
        rows: IdempotencyRows,
        keys: KeyRing,
        clock: Clock,
        *,
        threaded: bool,
        deadline_seconds: float,
        keep_for: timedelta = KEPT_FOR,
    ) -> None:
        """Keep the collaborators; nothing is opened.

        Args:
            rows: The table.
            keys: Whose keys make the digests.
            clock: Times the leases; hosts that share a database agree on the time.
            threaded: Whether a thread may lengthen leases; else they are as long as
                a request may take.
            deadline_seconds: How long one may take.
            keep_for: How long an answer is kept.
        """
        self._rows = rows
        self._keys = keys
        self._clock = clock
        self._keep_for = keep_for
        self._running = RunningClaims(
            rows, clock, threaded=threaded, deadline_seconds=deadline_seconds
        )

    def claim(self, asked: KeyedRequest) -> Claim | KeptAnswer:
        """Return the right to run this request, or the answer that it had before.

        A claim ends with `store` or `release`; one of them must follow.

        Raises:
            Conflict: The same request runs at present; a retry in a second helps.
            IdempotencyKeyReused: The key came with another request before.
            ServiceUnavailable: The key cannot be claimed; a retry helps later.
        """
        try:
            return self._claim(asked)
        except ServiceUnavailable as error:
            told = copy(error)
            told.details = f"{_NOT_RUN} {error.details}".rstrip()
            raise told from error

    def store(
        self,
        claim: Claim,
        status: int,
        headers: tuple[tuple[str, str], ...],
        body: bytes,
    ) -> bool:
        """End the claim with its answer, and tell whether it is kept.

        It is not where it is longer than 32 MiB, where the claim was lost to a
        later request, or where the database does not take it. That is logged and
        goes no further: the answer is there and paid for.
        """
        if len(body) > MOST_ANSWER_BYTES:
            self.release(claim, f"it is longer than {MOST_ANSWER_BYTES} bytes")
            return False
        answer = StoredAnswer(claim.request_id, status, json.dumps(headers), body)
        expires_at = self._clock.now() + self._keep_for
        try:
            is_kept = self._rows.store(claim.place, claim.owner, answer, expires_at)
        except APIError as error:
            self.release(claim, error.details or error.code)
            return False
        self._running.leave(claim)
        if not is_kept:
            _tell_not_kept(claim, "a later request took the key over")
        return is_kept

    def release(self, claim: Claim, why_not_kept: str = "") -> None:
        """End the claim without an answer: the next request with its key is run.

        `why_not_kept` is logged: why an answer that is there is not stored. Where the
        database does not work the key is free once its lease is over.
        """
        if why_not_kept:
            _tell_not_kept(claim, why_not_kept)
        self._running.leave(claim)
        try:
            self._rows.release(claim.place, claim.owner)
        except APIError as error:
            logs.event(
                _log,
                logging.WARNING,
                "idempotency_key_not_released",
                request_id=claim.request_id,
                principal=claim.place.principal_id,
                code=error.code,
                reason=error.details,
            )

    def forget_expired(self) -> int:
        """Remove all that has expired, a hundred at a time; return how many.

        Raises:
            ServiceUnavailable: The database does not work; some may be removed.
        """
        forgotten, last = 0, _MOST_AT_ONCE
        while last == _MOST_AT_ONCE:
            last = self._rows.forget_expired(self._clock.now(), _MOST_AT_ONCE)
            forgotten += last
        return forgotten

    def _claim(self, asked: KeyedRequest) -> Claim | KeptAnswer:
        self._running.begin()
        prints = prints_of(asked, self._keys.keys(Purpose.IDEMPOTENCY))
        place, *earlier = prints  # that of the current secret comes first
        claim = Claim(place, new_id("own"), asked.request_id, self._running.ends())
        held = self._rows.claim(self._row(claim, prints[place]), earlier)
        if held is None:
            self._running.enter(claim)
            return claim
        if not same_digest(held.fingerprint, prints[held.place]):
            raise IdempotencyKeyReused(
                details="Idempotency-Key: it came before with another request, such as "
                "another body; allowed: a new key for each request."
            )
        return self._answer_of(held)

    def _answer_of(self, held: Held) -> KeptAnswer:
        found = None
        if held.state != RUNNING:
            found = self._rows.find_answer(held.place, self._clock.now())
        if found is None:  # or it expired this very moment
            raise Conflict(
                "The same request is being answered.",
                details="Idempotency-Key: a request with it still runs; ask again for "
                "its answer.",
                retry_after_seconds=_IN_FLIGHT_SECONDS,
            )
        headers = tuple((name, value) for name, value in json.loads(found.headers))
        return KeptAnswer(found.request_id, found.status, headers, found.body)

    def _row(self, claim: Claim, fingerprint: bytes) -> NewClaim:
        now = self._clock.now()
        return NewClaim(
            place=claim.place,
            fingerprint=fingerprint,
            owner=claim.owner,
            request_id=claim.request_id,
            created_at=now,
            lease_until=self._running.lease_until(),
            expires_at=now + self._keep_for,
        )


def _tell_not_kept(claim: Claim, reason: str) -> None:
    logs.event(
        _log,
        logging.WARNING,
        "idempotent_answer_not_kept",
        request_id=claim.request_id,
        principal=claim.place.principal_id,
        reason=reason,
    )
