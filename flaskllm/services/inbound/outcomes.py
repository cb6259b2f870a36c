"""What becomes of a delivery."""

import logging
import re
from dataclasses import dataclass
from typing import Any, Final, Literal

from flaskllm.core import logs
from flaskllm.inputs.senders.types import Reply
from flaskllm.services.inbound.terms import Inbound

LONGEST_SHOWN_ID: Final = 40
"""Of an endpoint that is none here, in the log; in characters."""

NOT_NOW: Final = "It cannot be taken at the moment."
"""The detail of `later`: the sender's people can do nothing about the reason."""

_UNSAFE = re.compile(r"[^0-9A-Za-z._-]")

_log = logging.getLogger(__name__)

WhyNot = Literal["unproven", "stale", "malformed", "unwanted", "later"]
"""By the names of `Statuses`."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery that was taken.

    Attributes:
        job_id: What was made of it; None where nothing was.
        code: Why nothing was, for the log; '' where a job was.
    """

    job_id: str | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A delivery that was not taken.

    Attributes:
        why: Which status tells it.
        detail: A sentence for whoever set it up.
        retry_after_seconds: Of `later`; None for the usual time.
    """

    why: WhyNot
    detail: str
    retry_after_seconds: float | None = None


Outcome = Taken | NotTaken | Reply


def tell_unknown(sender: str, endpoint_id: str) -> None:
    """Log that a sender delivers to an id that is none here; anybody chose it."""
    logs.event(
        _log,
        logging.WARNING,
        "inbound_refused",
        error=None,
        sender=sender,
        endpoint_id=_UNSAFE.sub("?", endpoint_id[:LONGEST_SHOWN_ID]),
        why="unknown",
        reason="No endpoint of this sender takes deliveries at this id.",
    )


def tell(outcome: Outcome, inbound: Inbound, *, is_quiet: bool) -> None:
    """Log what became of a delivery; `is_quiet` leaves out what nobody has proven."""
    at: dict[str, Any] = {"sender": inbound.sender, "endpoint_id": inbound.id}
    if isinstance(outcome, NotTaken):
        if outcome.why == "later" or (is_quiet and outcome.why != "unwanted"):
            return
        name = "inbound_ignored" if outcome.why == "unwanted" else "inbound_refused"
        logs.event(
            _log,
            logging.WARNING,
            name,
            error=None,
            **at,
            why=outcome.why,
            reason=outcome.detail,
        )
        return
    found = outcome if isinstance(outcome, Taken) else Taken(code="greeted")
    logs.event(
        _log, logging.INFO, "inbound_taken", **at, job_id=found.job_id, code=found.code
    )
