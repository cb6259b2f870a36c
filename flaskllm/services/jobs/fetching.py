"""Documents that a job fetches before it digests them, and those it cannot have.

What a sender's proven message names lies somewhere else: a transcript behind an
address and a token. The job asks for it once, keeps what came as any other step, and
goes on with it as if it had been delivered.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from flaskllm.core.errors import FetchFailed, FetchRefused, NeedsFetch
from flaskllm.inputs.senders.fetched import FETCHED, FetchRefusedError
from flaskllm.inputs.senders.types import Item
from flaskllm.net.egress import EgressFailed, EgressRefused, EgressReply, Failure
from flaskllm.net.egress_fetch import Wanted
from flaskllm.services.digests.types import DigestOrder
from flaskllm.services.jobs.orders import Ordered

AS_IT_IS: Final = "as_is"

_STEP: Final = "fetch"
_SUCCESS = range(200, 300)
# There is nothing to be had later with the same credential.
_LASTING = frozenset({401, 403, 410})
_PASSING = frozenset({404, 408, 409, 425, 429})
_SERVER_FAULTS = range(500, 600)
_OVER = (
    "The token of the event, or the endpoint's api_key, is not accepted there (any "
    "more). Export the transcript and post it to /api/v1/webhook."
)
_LASTING_FAILURES = frozenset({Failure.TOO_LARGE})

Recorded = Callable[[str, Callable[[], Any]], Any]
"""Runs a function as a recorded step of this name, see `StepBook.step`."""


class Fetches(Protocol):
    """Fetches what lies at an address: see `Fetcher`."""

    def fetch(self, wanted: Wanted) -> EgressReply:
        """Return the answer, whatever it was."""
        ...


@dataclass(frozen=True, slots=True)
class Fetching:
    """Completes orders whose documents lie elsewhere."""

    fetcher: Fetches = field(repr=False)

    def complete(self, ordered: Ordered, step: Recorded) -> Ordered:
        """Return the order with its document; at once where that came with it.

        Raises:
            NeedsFetch: Only the operator gets it; `details` is the remedy.
            FetchRefused: It is refused for good; `details` is the remedy.
            FetchFailed: It may be had later.
            LeftToOthersError: What `step` raises.
        """
        if ordered.needs_fetch is not None:
            needed = NeedsFetch(details=ordered.needs_fetch)
            needed.needs = ordered.needs
            raise needed
        if ordered.fetch is None:
            return ordered
        # Read within the step as well: what is not there yet must not be kept.
        kept = step(_STEP, lambda: _packed(self._fetch(ordered)))
        return _read(ordered, b64decode(kept))

    def _fetch(self, ordered: Ordered) -> bytes:
        assert ordered.fetch is not None
        wanted = Wanted(ordered.fetch.url, ordered.fetch.headers, ordered.fetch.body)
        try:
            reply = self.fetcher.fetch(wanted)
        except EgressRefused as refused:
            details = f"The document's address: {refused.problem}."
            raise FetchRefused(details=details) from refused
        except EgressFailed as failed:
            kind = FetchRefused if failed.reason in _LASTING_FAILURES else FetchFailed
            raise kind(details=f"It did not come: {failed.reason}.") from failed
        _check_status(reply)
        _read(ordered, reply.body)
        return reply.body


def with_item(order: DigestOrder, item: Item) -> DigestOrder:
    """Return the order for what a delivery holds.

    What was found in the delivery goes before what is said once for all deliveries;
    people are added to those.
    """
    found = dict(item.fields)
    people = (*order.participants, *found.pop("participants", ()))
    return replace(
        order,
        content=item.content,
        media_type=item.media_type,
        charset=item.charset,
        file_name=item.file_name,
        source=item.source,
        participants=tuple(dict.fromkeys(people)),
        **found,
    )


def _read(ordered: Ordered, body: bytes) -> Ordered:
    """Return the order with what was fetched as its document."""
    fetch, order = ordered.fetch, ordered.order
    if fetch is None or fetch.reads == AS_IT_IS:
        return replace(ordered, order=replace(order, content=body), fetch=None)
    item = Item(
        content=b"",
        media_type=order.media_type,
        source=order.source or "other",
        event_key="",
        charset=order.charset,
        file_name=order.file_name,
        metadata=ordered.metadata or {},
        warnings=ordered.warnings,
    )
    try:
        read = FETCHED[fetch.reads](body, item)
    except FetchRefusedError as refused:
        kind = FetchFailed if refused.retryable else FetchRefused
        raise kind(details=refused.detail) from refused
    return replace(
        ordered,
        order=with_item(order, read),
        metadata=dict(read.metadata) or None,
        warnings=read.warnings,
        fetch=None,
    )


def _check_status(reply: EgressReply) -> None:
    status = reply.status
    if status in _SUCCESS:
        return
    if status in _LASTING:
        raise FetchRefused(details=f"HTTP {status}. {_OVER}")
    if status in _PASSING or status in _SERVER_FAULTS:
        raise FetchFailed(
            details=f"HTTP {status}.", retry_after_seconds=reply.retry_after_seconds
        )
    raise FetchRefused(details=f"HTTP {status}, which is no document.")


def _packed(body: bytes) -> str:
    return b64encode(body).decode("ascii")
