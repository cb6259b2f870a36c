"""From an order to what the pipeline works on: document, ground, variables."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flaskllm import inputs
from flaskllm.core import languages
from flaskllm.core.errors import InvalidInputError
from flaskllm.inputs.document import Document, Person
from flaskllm.llm.cached import CacheWish
from flaskllm.llm.prompts import Library, Template
from flaskllm.llm.types import Call
from flaskllm.services.digests.ground import Ground
from flaskllm.services.digests.types import DigestOrder

# The gateway fills these itself; a caller who sets them is told so.
_OWN_VARIABLES = frozenset({"language", "reference_time", "problems"})
_FALLBACK_LANGUAGE = "en"


def read_ground(order: DigestOrder, now: datetime) -> Ground:
    """Parse what was sent and find out its language and its reference time.

    Raises:
        InvalidInputError: The content is empty or not what it says it is.
        UnsupportedMediaType: The content type is not read here.
    """
    document = read_document(order)
    found = languages.detect(document.text())
    language = order.language or found or _FALLBACK_LANGUAGE
    ground = Ground.of(document, _reference(order, document, now), language, found)
    assumed = order.reference_time is None and document.sent_at is None
    return replace(ground, reference_is_assumed=assumed)


def read_document(order: DigestOrder) -> Document:
    """Parse what was sent; the participants of the order stand with its own.

    Raises:
        InvalidInputError: As `read_ground`.
        UnsupportedMediaType: As `read_ground`.
    """
    return _with_participants(_parse(order), order.participants)


def choose_template(order: DigestOrder, library: Library) -> Template:
    """Return the template that was asked for, else the one of the type.

    Raises:
        InvalidInputError: There is none, or it belongs to another type.
    """
    template = library.get(order.template or order.type)
    if template.front.type != order.type:
        fitting = sorted(
            name
            for name, other in library.templates.items()
            if other.front.type == order.type
        )
        problem = f"{template.front.name!r} is for type {template.front.type!r}"
        raise InvalidInputError.of("template", problem, ", ".join(fitting))
    return template


def heeding(order: DigestOrder, call: Call) -> Call:
    """Return a call that heeds what the order says of the cache."""
    wish = CacheWish.of(order.cache, order.sensitive)
    fresh = CacheWish(reads=not order.fresh)
    return replace(call, cache=call.cache.also(wish).also(fresh))


def fill_variables(
    order: DigestOrder, template: Template, ground: Ground
) -> dict[str, str]:
    """Return the template's values: the caller's, and those that we set.

    Raises:
        InvalidInputError: The caller set one of ours, or one that is no text.
    """
    given = {name: _text_of(name, value) for name, value in order.variables.items()}
    return given | _own_variables(template, ground)


def fill_prose_variables(
    order: DigestOrder, template: Template, ground: Ground
) -> dict[str, str]:
    """Return the values of a prose template: what it knows of the caller's, and ours.

    The caller's were checked against the template of the facts.
    """
    given = {name: _text_of(name, value) for name, value in order.variables.items()}
    known = template.front.variables
    return {name: given[name] for name in given.keys() & known.keys()} | _own_variables(
        template, ground
    )


def _own_variables(template: Template, ground: Ground) -> dict[str, str]:
    own = {"language": ground.language, "reference_time": ground.reference.isoformat()}
    return {name: own[name] for name in own.keys() & template.front.variables.keys()}


def _parse(order: DigestOrder) -> Document:
    return inputs.parse(
        order.content,
        media_type=order.media_type,
        source=order.source,
        charset=order.charset,
        file_name=order.file_name,
    )


def _with_participants(document: Document, names: tuple[str, ...]) -> Document:
    known = {(person.name or "").casefold() for person in document.participants}
    added = tuple(
        Person(name, None, "participant")
        for name in names
        if name.casefold() not in known
    )
    return replace(document, participants=document.participants + added)


def _reference(order: DigestOrder, document: Document, now: datetime) -> datetime:
    reference = order.reference_time or document.sent_at or now
    zone = ZoneInfo(order.timezone) if order.timezone else reference.tzinfo
    try:
        return reference.astimezone(zone)
    except OverflowError as error:  # the first or last day of the calendar
        problem = f"{reference.isoformat()} is no time in that timezone"
        raise InvalidInputError.of("reference_time", problem) from error


def _text_of(name: str, value: Any) -> str:
    if name in _OWN_VARIABLES:
        raise InvalidInputError.of(f"variables.{name}", "is set by the gateway")
    if name == "labels" and isinstance(value, list):
        return "; ".join(map(str, value))
    if name == "schema" and isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str | int | float):
        return str(value)
    raise InvalidInputError.of(f"variables.{name}", "is no text", "text or a number")
