"""A delivery, from its first byte to an accepted job: proven, read, and kept.

Nothing here asks a model or looks anything up in the network, but for a certificate
that is not known yet and an address that confirms a subscription: senders wait a few
seconds. What is our own trouble is never the sender's fault: it is told to come again.
"""

import logging
from dataclasses import dataclass, field

from flaskllm.core import logs
from flaskllm.core.auth import Actor
from flaskllm.core.clock import Clock
from flaskllm.core.errors import APIError, InvalidInputError, UnsupportedMediaType
from flaskllm.inputs.senders.catalogue import SENDERS
from flaskllm.inputs.senders.generic import GENERIC
from flaskllm.inputs.senders.mapped import FIELDS
from flaskllm.inputs.senders.types import (
    Delivery,
    Nothing,
    Reply,
    Sender,
    SenderRefusedError,
    Terms,
    Visit,
)
from flaskllm.net.egress import EgressFailed, EgressRefused
from flaskllm.net.egress_fetch import Fetcher, Wanted
from flaskllm.services.callbacks.receivers import Receivers
from flaskllm.services.inbound.certificates import Certificates
from flaskllm.services.inbound.endpoints import InboundEndpoints
from flaskllm.services.inbound.ordering import key_of, ordered_of, recipients_of
from flaskllm.services.inbound.outcomes import NOT_NOW, NotTaken, Outcome, Taken, tell
from flaskllm.services.inbound.terms import Inbound
from flaskllm.services.jobs import wanted as jobs_wanted
from flaskllm.services.jobs.jobs import Jobs
from flaskllm.services.jobs.orders import Ordered
from flaskllm.services.jobs.owners import Owners

_VISIT_SECONDS = 10.0
_VISIT_BYTES = 64 * 1024
_SUCCESS = range(200, 300)
# Where `inputs.parse` and the sender's own fields are named; all else of an order is
# the operator's.
_OF_THE_DELIVERY = frozenset({"prompt", "file", "body", "reference_time"})
_NOT_HERE = "No mail to this recipient is taken here."
_TO_NOBODY = "The mail names no recipient, and only mail to some is taken here."

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Taking:
    """Takes deliveries.

    Attributes:
        endpoints: Where they come to.
        certificates: Of those who sign with one.
        fetcher: Visits what confirms a subscription.
        owners: For whom jobs are made.
        receivers: Checks who is told of them.
        jobs: Accepts them.
        clock: Tells how old a signature is.
    """

    endpoints: InboundEndpoints
    certificates: Certificates
    fetcher: Fetcher = field(repr=False)
    owners: Owners
    receivers: Receivers
    jobs: Jobs
    clock: Clock

    def greet(self, inbound: Inbound, delivery: Delivery) -> Reply | None:
        """Return the answer to a set-up check that needs no proof, if it is one."""
        return SENDERS[inbound.sender].greeting(delivery)

    def take(
        self,
        inbound: Inbound,
        delivery: Delivery,
        request_id: str,
        *,
        may_look_up: bool = True,
    ) -> Outcome:
        """Take one delivery. Once a job is named it is not lost, whatever dies.

        Args:
            inbound: To which endpoint it came.
            delivery: As it came.
            request_id: Of the request.
            may_look_up: Whether certificates may be fetched for it.
        """
        sender = SENDERS[inbound.sender]
        terms = self._terms(inbound, may_look_up)
        try:
            sender.prove(delivery, terms)
            outcome = self._act(inbound, sender, delivery, terms, request_id)
        except SenderRefusedError as refused:
            outcome = NotTaken(refused.why, refused.detail)
        except (EgressFailed, EgressRefused) as error:
            outcome = _later(f"visit: {error.reason}", inbound)
        except APIError as error:
            outcome = _not_accepted(error, inbound)
        tell(outcome, inbound, is_quiet=not may_look_up)
        return outcome

    def _act(
        self,
        inbound: Inbound,
        sender: Sender,
        delivery: Delivery,
        terms: Terms,
        request_id: str,
    ) -> Outcome:
        reading = sender.read(delivery, terms)
        if isinstance(reading, Reply):
            return reading
        if isinstance(reading, Nothing):
            return Taken(code=reading.code)
        if isinstance(reading, Visit):
            return self._visit(reading.url, inbound)
        recipients = recipients_of(reading)
        if not inbound.terms.wants(recipients):
            return NotTaken("unwanted", _NOT_HERE if recipients else _TO_NOBODY)
        ordered = ordered_of(inbound, reading)
        return self._accept(inbound, ordered, key_of(reading), request_id)

    def _visit(self, url: str, inbound: Inbound) -> Outcome:
        reply = self.fetcher.fetch(
            Wanted(url), total_seconds=_VISIT_SECONDS, most_bytes=_VISIT_BYTES
        )
        if reply.status not in _SUCCESS:
            return _later(f"visit: HTTP {reply.status}", inbound)
        return Taken(code="subscription_confirmed")

    def _accept(
        self, inbound: Inbound, ordered: Ordered, event_key: str, request_id: str
    ) -> Outcome:
        """Make a job of it, for the endpoint's principal."""
        terms, owner = inbound.terms, inbound.principal_id
        principal = self.owners.find(owner)
        self.receivers.check(
            owner,
            Actor(owner, request_id=request_id),
            callback_url=terms.callback_url,
            endpoint_id=terms.endpoint,
        )
        wishes = {
            name: terms.digest[name]
            for name in ("priority", "deadline_seconds")
            if name in terms.digest
        }
        wanted = jobs_wanted.Wanted(
            f"inbound:{inbound.sender}",
            request_id,
            callback_url=terms.callback_url,
            endpoint_id=terms.endpoint,
            event_key=event_key or None,
            inbound_id=inbound.id,
            **wishes,
        )
        accepted = self.jobs.accept(ordered, wanted, principal)
        code = "" if accepted.is_new else "repeated"
        return Taken(accepted.job.id, code)

    def _terms(self, inbound: Inbound, may_look_up: bool) -> Terms:
        said, certificates = inbound.terms, self.certificates
        return Terms(
            now=self.clock.now(),
            secret=said.secret,
            username=said.username,
            password=said.password,
            topics=said.topics,
            mapping=said.mapping,
            api_key=said.api_key,
            certificate=certificates.get if may_look_up else certificates.known,
        )


def _not_accepted(error: APIError, inbound: Inbound) -> NotTaken:
    """Return whose fault it is that no job was made: the delivery's, or ours."""
    is_about = {each.path for each in error.fields} & _OF_THE_DELIVERY
    if isinstance(error, UnsupportedMediaType) or (
        isinstance(error, InvalidInputError) and is_about
    ):
        return NotTaken("malformed", _told(error, inbound))
    wait = error.retry_after_seconds
    return _later(f"{error.code}: {error.details or error.message}", inbound, wait)


def _told(error: APIError, inbound: Inbound) -> str:
    """Return what is wrong with a delivery, in the names that its people know."""
    told = error.details or error.message
    if inbound.sender != GENERIC.name:
        return told
    if not error.fields:
        # Without a field the details only list what is read here.
        return f"mapping.content: {' '.join(filter(None, (error.message, told)))}"
    path = error.fields[0].path
    name = path if path in FIELDS else "content"
    return f"mapping.{name}: {told.removeprefix(f'{path}: ')}"


def _later(why: str, inbound: Inbound, seconds: float | None = None) -> NotTaken:
    # The sender's people can do nothing about it; the operator reads the log.
    logs.event(
        _log,
        logging.ERROR,
        "inbound_not_taken_now",
        error=None,
        sender=inbound.sender,
        endpoint_id=inbound.id,
        reason=why,
    )
    return NotTaken("later", NOT_NOW, seconds)
