"""What may be said of an inbound endpoint, by its sender. Pure.

The same for the settings file, at the start, and for the admin API.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from flaskllm import inputs
from flaskllm.core.errors import Field, InvalidInputError
from flaskllm.inputs.senders.catalogue import SENDERS
from flaskllm.inputs.senders.generic import check_mapping
from flaskllm.inputs.senders.signed import plain_fault
from flaskllm.inputs.senders.types import Sender
from flaskllm.llm.prompts import Library
from flaskllm.services.digests.case import read_case
from flaskllm.services.digests.ground import Ground
from flaskllm.services.digests.order import choose_template, fill_variables
from flaskllm.services.digests.types import DigestOrder
from flaskllm.services.inbound.terms import InboundTerms

SHORTEST_OWN: Final = 16
"""Of what nobody but the operator has made up: a right proof passes at any rate, so
it must not be guessed."""

NOT_OF_THE_DIGEST: Final = frozenset({"priority", "deadline_seconds", "metadata"})
"""Fields of the webhook that are about the job."""

_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}")
_BASIC = frozenset({"sendgrid", "mailgun", "postmark", "ses", "cloudmailin", "generic"})
_OWN_SECRETS = frozenset({"generic", "graph"})
_ONLY_OF: Final[Mapping[str, frozenset[str]]] = {
    "secret": frozenset(SENDERS) - {"postmark", "ses", "cloudmailin"},
    "username": _BASIC,
    "password": _BASIC,
    "topics": frozenset({"ses"}),
    "api_key": frozenset({"fireflies"}),
    "mapping": frozenset({"generic"}),
    "recipients": _BASIC,
}


def faults(sender_name: str, terms: InboundTerms) -> Iterator[Field]:
    """Yield everything that is wrong with the terms of a sender that is known."""
    sender = SENDERS[sender_name]
    yield from _missing(sender, terms)
    for name, senders in _ONLY_OF.items():
        if getattr(terms, name) and sender_name not in senders:
            names = ", ".join(sorted(senders))
            yield Field(name, f"means nothing to {sender_name}", f"only of {names}")
    yield from _weak(sender_name, terms)
    yield from _never_right(sender, terms)
    if sender_name == "generic":
        for each in check_mapping(terms.mapping):
            name, _, problem = each.partition(": ")
            problem, _, allowed = problem.partition("; allowed: ")
            yield Field(f"mapping.{name}", problem, allowed)
        if terms.recipients and terms.mapping and "recipients" not in terms.mapping:
            allowed = "mapping.recipients: where the delivery says to whom it goes"
            yield Field("recipients", "never match: none are read", allowed)
    for address in terms.recipients:
        if "@" not in address:
            allowed = "addresses, or @ and a domain"
            yield Field("recipients", f"{address[:60]!r} is no address", allowed)
    if terms.callback_url and terms.endpoint:
        yield Field("endpoint", "is given too", "callback_url, or endpoint")


def order_of(terms: InboundTerms, **given: Any) -> DigestOrder:
    """Return what is ordered of a document here; `given` is of that document."""
    told = {k: v for k, v in terms.digest.items() if k not in NOT_OF_THE_DIGEST}
    if "participants" in told:
        told["participants"] = tuple(told["participants"])
    return DigestOrder(**{"content": b"", **told, **given})


def check_digest(terms: InboundTerms, library: Library, now: datetime) -> None:
    """Return when such a digest can be made of any document.

    Raises:
        InvalidInputError: It cannot; the field is named, as in the webhook.
    """
    order = order_of(terms, content=b"-", media_type="text/plain")
    document = inputs.parse(order.content, media_type=order.media_type, source=None)
    ground = Ground.of(document, now, order.language or "en", None)
    read_case(order, ground)
    fill_variables(order, choose_template(order, library), ground)


def refuse(found: list[Field]) -> None:
    """Return when there is nothing to refuse.

    Raises:
        InvalidInputError: Naming all of it.
    """
    if found:
        told = "; ".join(f"{each.path}: {each.problem}" for each in found)
        raise InvalidInputError(details=told, fields=found)


def _missing(sender: Sender, terms: InboundTerms) -> Iterator[Field]:
    """Yield what is missing of the set of terms that comes nearest to one wanted."""
    lacking = [[n for n in each if not getattr(terms, n)] for each in sender.wants]
    if not lacking or not all(lacking):
        yield from _half(terms)
        return
    # Of two that miss as much, the one that was begun.
    begun = sorted(zip(sender.wants, lacking, strict=True), key=lambda e: -len(e[0]))
    fewest = min((missing for _, missing in begun), key=len)
    choices = " or ".join(" and ".join(each) for each in sender.wants)
    for name in fewest:
        yield Field(name, "is missing", f"{sender.name} needs {choices}")


def _half(terms: InboundTerms) -> Iterator[Field]:
    pair = {"username": terms.username, "password": terms.password}
    given = [name for name, value in pair.items() if value]
    for name in pair.keys() - given if len(given) == 1 else ():
        yield Field(name, "is missing", "username and password, or neither")


def _never_right(sender: Sender, terms: InboundTerms) -> Iterator[Field]:
    """Yield what no delivery could ever match, and no fetch be made with."""
    fault = sender.secret_fault(terms.secret) if terms.secret else None
    if fault is not None:
        yield Field("secret", fault.problem, fault.allowed)
    fault = plain_fault(terms.api_key) if terms.api_key else None
    if fault is not None:
        yield Field("api_key", fault.problem, "the key alone, as its owner sees it")
    for topic in terms.topics if sender.name in _ONLY_OF["topics"] else ():
        if _TOPIC.fullmatch(topic) is None:
            allowed = "arn:aws:sns:REGION:ACCOUNT:NAME, as SNS shows it"
            yield Field("topics", f"{topic[:60]!r} is no ARN of a topic", allowed)


def _weak(sender_name: str, terms: InboundTerms) -> Iterator[Field]:
    own = {"password": terms.password}
    if sender_name in _OWN_SECRETS:
        own["secret"] = terms.secret
    for name, value in own.items():
        if value and len(value) < SHORTEST_OWN:
            allowed = f"{SHORTEST_OWN} or more random characters"
            yield Field(name, f"has only {len(value)} characters", allowed)
    if ":" in (terms.username or ""):
        yield Field("username", "holds a colon, which parts it from the password")
