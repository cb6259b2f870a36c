"""Threads of mail: what earlier mails of one said is known, and not asked about again.

A thread is one principal's, one target's, and one kind of digest's. It is known by its
first Message-ID, which a mail tells itself: whoever forges it brings what is known of
that thread into the digest of a mail of theirs, which only its own target is told.
"""

import hmac
import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b, sha256
from typing import Any, Final

from flaskllm.core import logs
from flaskllm.core.errors import APIError
from flaskllm.core.secrets import KeyRing, Purpose
from flaskllm.inputs.document import Document
from flaskllm.services.digests.case import Case
from flaskllm.services.digests.thread_memory import Mail, Memory
from flaskllm.storage.threads import ThreadRow, ThreadRows

TYPES: Final = frozenset({"summary", "action_items"})
"""Of these the facts of several mails can be put together. A reply is none: it goes to
somebody who may not have seen the thread."""

_MOST_TRIES = 5
_BATCH = 200
_MOST_BATCHES = 50
_ID_BYTES = 12
_BRACKETED = re.compile(r"<([^<>\s]{1,998})>")
# What says to which thread a mail belongs, the surest first.
_ROOTS = ("references", "in-reply-to", "message-id")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Audience:
    """Who learns what a thread says: one principal, and one target it tells.

    Attributes:
        principal_id: Of the principal.
        target: As `target_of` names it; None is whoever asks for the answer.
    """

    principal_id: str
    target: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Thread:
    """One thread of a principal, and one mail of it."""

    principal_id: str
    name: str
    mail: Mail


@dataclass(frozen=True, slots=True)
class Threads:
    """Keeps what is known of threads.

    Attributes:
        rows: Where.
        keys: Under which their names are known.
        keep_for: How long after the last mail; zero keeps none.
    """

    rows: ThreadRows
    keys: KeyRing
    keep_for: timedelta

    def recall(self, thread: Thread) -> Memory:
        """Return what is known of a thread; nothing where that cannot be read."""
        try:
            return _memory_of(self.rows.find(thread.principal_id, self._keys(thread)))
        except APIError as error:
            _tell("thread_not_read", thread, error)
            return Memory()

    def keep(self, thread: Thread, learn: Callable[[Memory], Memory]) -> bool:
        """Store what is known now, and tell whether that worked.

        A failure is logged and goes no further: the digest is there and paid for.

        Args:
            thread: Which.
            learn: Returns it, from what is known already. It is asked again when
                another mail of the thread was faster.
        """
        try:
            if any(self._try(thread, learn) for _ in range(_MOST_TRIES)):
                return True
            _tell("thread_not_kept", thread, None)
        except APIError as error:
            _tell("thread_not_kept", thread, error)
        return False

    def forget_expired(self) -> int:
        """Remove what has expired, at most 10,000 threads; return how many.

        Raises:
            ServiceUnavailable: Some may have been removed; a retry may help.
        """
        removed = 0
        for _ in range(_MOST_BATCHES):
            count = self.rows.remove_expired(_BATCH)
            removed += count
            if count < _BATCH:
                break
        return removed

    def _try(self, thread: Thread, learn: Callable[[Memory], Memory]) -> bool:
        keys = self._keys(thread)
        known = self.rows.find(thread.principal_id, keys)
        body = json.dumps(learn(_memory_of(known)).to_json()).encode("ascii")
        row = ThreadRow(thread.principal_id, keys[0], 0, body)
        return self.rows.put(row, known, self.keep_for)

    def _keys(self, thread: Thread) -> tuple[bytes, ...]:
        name = thread.name.encode("utf-8", "surrogatepass")
        keys = self.keys.keys(Purpose.THREADS)
        return tuple(hmac.digest(key, name, sha256) for key in keys)


def target_of(
    *,
    inbound_id: str | None = None,
    callback_url: str | None = None,
    endpoint_id: str | None = None,
) -> str | None:
    """Return the name of who is told of a digest; None is whoever asks for it.

    What came to an inbound endpoint is for whom that is; else the receiver counts.
    """
    known = (("inbound", inbound_id), ("url", callback_url), ("endpoint", endpoint_id))
    return next((f"{kind}:{each}" for kind, each in known if each), None)


def thread_of(case: Case, whose: Audience, arrived: datetime) -> Thread | None:
    """Return the thread of a mail; None where there is none to be known by.

    Args:
        case: The mail, and what is to be made of it.
        whose: The principal and the target that the mail is digested for.
        arrived: When it came: none was sent later.
    """
    wanted, document = case.order, case.ground.document
    root = _root_of(document.headers) if document.kind == "email" else None
    if root is None or wanted.type not in TYPES:
        return None
    asked = (wanted.type, wanted.language or "", wanted.template or "")
    name = json.dumps([whose.principal_id, whose.target, root, *asked])
    own = _first_id(document.headers.get("message-id", ""))
    said = own.encode("utf-8", "surrogatepass") if own else wanted.content
    mail_id = blake2b(said, digest_size=_ID_BYTES).hexdigest()
    at = min(document.sent_at or arrived, arrived)
    mail = Mail(mail_id, at, _sender_of(document))
    return Thread(whose.principal_id, name, mail)


def _root_of(headers: Mapping[str, str]) -> str | None:
    found = (_first_id(headers.get(name, "")) for name in _ROOTS)
    return next(filter(None, found), None)


def _first_id(header: str) -> str | None:
    found = _BRACKETED.search(header)
    return found[1] if found else next(iter(header.split()), None)


def _sender_of(document: Document) -> str | None:
    senders = (person for person in document.participants if person.role == "from")
    return next((person.name or person.email for person in senders), None)


def read_memory(told: Mapping[str, Any]) -> Memory:
    """Read what is known of a thread; nothing where another version has written it."""
    try:
        return Memory.from_json(told)
    except ValueError:
        return Memory()


def _memory_of(row: ThreadRow | None) -> Memory:
    return Memory() if row is None else read_memory(json.loads(row.body))


def _tell(event: str, thread: Thread, error: APIError | None) -> None:
    code, reason = (error.code, error.details) if error else ("CONFLICT", "")
    logs.event(
        _log,
        logging.WARNING,
        event,
        principal=thread.principal_id,
        code=code,
        reason=reason,
    )
