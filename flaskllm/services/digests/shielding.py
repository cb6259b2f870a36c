"""What is kept from upstreams of one document: all of it, or what names somebody."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import Any

from flaskllm.core.errors import APIError
from flaskllm.core.sensitive import LOCAL, Found
from flaskllm.inputs.document import Document
from flaskllm.llm.confined import Confined
from flaskllm.llm.parts import Message
from flaskllm.llm.types import Call, CompletionRequest
from flaskllm.services.confining import tell_refused
from flaskllm.services.digests.order import read_document
from flaskllm.services.digests.redaction import Redaction, Revealed
from flaskllm.services.digests.types import DigestOrder, DigestResult
from flaskllm.services.privacy import Privacy


@dataclass(frozen=True, slots=True)
class Shield:
    """What stands between a document and those who are asked about it.

    Attributes:
        found: The rules that matched where such a document stays local; else empty.
        redaction: Hides what names somebody; None shows everything.
    """

    found: Found = field(default_factory=dict)
    redaction: Redaction | None = None

    def request(self, request: CompletionRequest) -> CompletionRequest:
        """Return a request as it may be sent."""
        told = request
        if self.redaction is not None:
            told = replace(
                told,
                messages=(_noted(told.messages[0], self.redaction), *told.messages[1:]),
                json_schema=self.redaction.hide_schema(told.json_schema),
            )
        return replace(told, required_tag=LOCAL) if self.found else told

    def variables(self, values: Mapping[str, str]) -> Mapping[str, str]:
        """Return the values of a template as a model may read them."""
        if self.redaction is None:
            return values
        return {name: self._variable(name, value) for name, value in values.items()}

    def _variable(self, name: str, value: str) -> str:
        assert self.redaction is not None
        if name == "schema":
            schema = self.redaction.hide_schema(json.loads(value))
            return json.dumps(schema, ensure_ascii=False)
        return self.redaction.hide(value)

    def source(self, text: str, *, is_json: bool) -> str:
        """Return a source as a model may read it; or lines of JSON."""
        if self.redaction is None:
            return text
        return self.redaction.hide_lines(text) if is_json else self.redaction.hide(text)

    def text(self, text: str) -> str:
        """Return a text of ours that may repeat words of the source."""
        return self.redaction.hide(text) if self.redaction is not None else text

    def answer(self, value: Any) -> Revealed:
        """Return what a model said, with the words that were hidden from it."""
        if self.redaction is None:
            return Revealed(value)
        return self.redaction.reveal_json(value)

    def confined(self, deployments: Iterable[str], code: str = "OK") -> Confined:
        """Return what goes on record of a document that stayed local."""
        each_once = tuple(dict.fromkeys(filter(None, deployments)))
        return Confined(self.found, each_once, code, "digest")


NO_SHIELD = Shield()


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is told of earlier mails of a thread: facts, and who is named there."""

    texts: tuple[str, ...] = ()
    people: tuple[str, ...] = ()


NOTHING_EARLIER = Earlier()


def shield_of(
    order: DigestOrder,
    document: Document,
    privacy: Privacy | None,
    aliases: frozenset[str] | None = None,
    earlier: Earlier = NOTHING_EARLIER,
) -> Shield:
    """Return the shield of a document.

    Args:
        order: What is wanted; it can only be stricter than the settings.
        document: As it was read.
        privacy: What the operator wants; without it only the order counts.
        aliases: The names that the caller may send; None is all.
        earlier: What else of its thread is told.
    """
    found: Found = {}
    redacts = bool(order.redact)
    listed: tuple[str, ...] = ()
    if privacy is not None:
        if privacy.keeps_local(order.on_sensitive, order.model, aliases):
            found = privacy.find(chain(texts_of(order, document), earlier.texts))
        redacts, listed = privacy.redacts(order.redact), privacy.settings.names
    if not redacts:
        return Shield(found)
    told = chain(_texts_in(order.variables), earlier.texts)
    names = (*listed, *earlier.people)
    return Shield(found, Redaction.of(document, names, told))


@dataclass(frozen=True, slots=True)
class Held:
    """An order that waits. `keep_days` None is as long as usual."""

    order: DigestOrder
    keep_days: int | None = None


def hold(
    order: DigestOrder,
    document: Document | None,
    privacy: Privacy,
    aliases: frozenset[str] | None,
) -> Held:
    """Return an order with what holds for it whatever becomes of the settings.

    Where such documents stay local, it is kept for the shortest time if a rule matches,
    and also when that cannot be told yet.

    Args:
        order: What is wanted.
        document: What was read of it; None reads it here, where it is there.
        privacy: What the operator wants.
        aliases: The names that the principal may send.
    """
    told = replace(order, redact=privacy.redacts(order.redact) or order.redact)
    if not privacy.keeps_local(order.on_sensitive, order.model, aliases):
        return Held(told)
    told = replace(told, on_sensitive=LOCAL)
    known = document or _read(order)
    if known is not None and not privacy.find(texts_of(order, known)):
        return Held(told)
    return Held(told, privacy.settings.keep_days)


def _read(order: DigestOrder) -> Document | None:
    """Return what an order is about; None where it cannot be read yet."""
    try:
        return read_document(order) if order.content else None
    except APIError:
        return None


def on_record(
    make: Callable[[], DigestResult],
    shield: Shield,
    call: Call,
    keep: Callable[[str, Callable[[], Any]], Any],
) -> DigestResult:
    """Return the digest once it is on record why it stayed local, where it did.

    Args:
        make: Makes it.
        shield: That of its document.
        call: Hears of it.
        keep: Runs a piece of work once, whoever goes on with the digest.

    Raises:
        APIError: What `make` raises, put on record as well; and what the record
            raises: what cannot be put there is not answered.
    """
    if not shield.found:
        return make()
    try:
        result = make()
    except APIError as error:
        tell_refused(call, shield.confined((), error.code))
        raise
    keep("confined", partial(call.confined, shield.confined(result.deployments)))
    return result


def texts_of(order: DigestOrder, document: Document) -> Iterator[str]:
    """Yield all texts of an order that a model could see."""
    yield from (part.text for part in document.parts)
    for person in document.participants:
        yield f"{person.name or ''} {person.email or ''}"
    yield from (part.speaker for part in document.parts if part.speaker)
    yield from _texts_in(order.variables)


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for each in value.values() for text in _texts_in(each))
    elif isinstance(value, list | tuple):
        yield from (text for each in value for text in _texts_in(each))
    elif value is not None:
        yield str(value)


def _noted(message: Message, redaction: Redaction) -> Message:
    """Return the first message of a prompt with a word about placeholders."""
    return replace(message, content=f"{message.text}\n\n{redaction.note}")
