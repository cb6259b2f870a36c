"""One order on its ground, with what its type needs of the variables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flaskllm.core import languages
from flaskllm.core.errors import InvalidInputError
from flaskllm.services.digests.custom import read_schema
from flaskllm.services.digests.ground import Ground
from flaskllm.services.digests.question import Objection
from flaskllm.services.digests.types import DigestOrder

_MOST_LABELS = 100
_LABELS = f"2 to {_MOST_LABELS} different labels of at most 100 characters"
_LANGUAGE_OBJECTION = "language_not_as_asked"


@dataclass(frozen=True, slots=True)
class Case:
    """One order on its ground, with what its type needs of the variables."""

    order: DigestOrder
    ground: Ground
    labels: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None


def read_case(order: DigestOrder, ground: Ground) -> Case:
    """Read the variables that belong to the type.

    Raises:
        InvalidInputError: `labels`, `schema` or the target language is missing
            or not usable; the field is named.
    """
    if order.type == "classification":
        return Case(order, ground, labels=_read_labels(order.variables.get("labels")))
    if order.type == "custom":
        return Case(order, ground, schema=read_schema(order.variables.get("schema")))
    if order.type == "translation" and order.language is None:
        raise InvalidInputError.of("language", "is missing", "the target, ISO 639-1")
    return Case(order, ground)


def check_language(wording: str, case: Case) -> tuple[Objection, ...]:
    """Object to wording in another language than asked, when it can be told."""
    found = languages.detect(wording)
    if found is None or languages.are_alike(found, case.ground.language):
        return ()
    problem = f"the wording is in `{found}`, write it in `{case.ground.language}`"
    return (Objection(problem, _LANGUAGE_OBJECTION),)


def _read_labels(value: Any) -> tuple[str, ...]:
    if value is None:
        raise InvalidInputError.of("variables.labels", "is missing", _LABELS)
    given = value.split(",") if isinstance(value, str) else value
    texts = given if isinstance(given, list) else []
    if not all(isinstance(label, str) for label in texts):
        texts = []
    labels = [label.strip() for label in texts]
    distinct = tuple(dict.fromkeys(label for label in labels if label))
    if not 2 <= len(distinct) <= _MOST_LABELS or max(map(len, distinct)) > 100:
        raise InvalidInputError.of("variables.labels", "is not usable", _LABELS)
    return distinct
