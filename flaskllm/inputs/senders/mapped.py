"""What a mapping of the operator's finds in a stranger's JSON, as values of ours."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from email.utils import getaddresses
from hashlib import sha256
from typing import Any, Final, cast, get_args

from flaskllm.core import json_text
from flaskllm.core.languages import is_language
from flaskllm.inputs.document import SourceKind
from flaskllm.inputs.senders import json_body
from flaskllm.inputs.senders.paths import Found
from flaskllm.inputs.senders.types import SenderRefusedError

FIELDS: Final = (
    "content",
    "media_type",
    "source",
    "event_id",
    "subject",
    "participants",
    "reference_time",
    "language",
    "recipients",
)
"""What a mapping may name; `content` it must."""

NO_SOURCE: Final = (
    "is no JSON path, and no word that is known; allowed: "
    f"{', '.join(get_args(SourceKind))}, or a path such as $.meeting.kind"
)
"""What is told of a `source` that is neither."""


def is_source(name: str, said: object) -> bool:
    """Tell whether a field of the mapping says itself what all documents are."""
    return name == "source" and said in get_args(SourceKind)


def value_of(found: Found) -> Any:
    """Return the value, or the list of all where the path may find several."""
    if found.is_list:
        return list(found.values)
    return found.values[0] if found.values else None


def text_of(value: object) -> str:
    """Return a value as text, as JSON writes it; empty for what is no scalar."""
    if isinstance(value, bool):
        return json_text.dump(value).decode("ascii")
    return str(value) if isinstance(value, str | int | float) else ""


def _line(name: str, found: Found) -> str:
    """Return a field of one value as one line; empty when it is absent."""
    return json_body.line(_one(name, found))


def _event_key(name: str, found: Found) -> str:
    """Return the event's name, or the digest of one that is no short line."""
    text = _one(name, found)
    key = json_body.line(text)
    if key and key != text:
        return sha256(text.encode("utf-8", "replace")).hexdigest()
    return key


def _one(name: str, found: Found) -> str:
    value = value_of(found)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict | list) and value:
        raise wrong(name, "finds something that is no text")
    return text_of(value)


def _source(name: str, found: Found) -> SourceKind | None:
    value = _line(name, found).lower()
    if value and value not in get_args(SourceKind):
        raise wrong(name, f"is unknown; allowed: {', '.join(get_args(SourceKind))}")
    return cast("SourceKind | None", value or None)


def _language(name: str, found: Found) -> str | None:
    # Tools say en-US or de_DE where we say en and de.
    value = _line(name, found).lower().replace("_", "-").partition("-")[0]
    if value and not is_language(value):
        raise wrong(name, "is unknown; allowed: an ISO 639-1 code, such as en")
    return value or None


def _moment(name: str, found: Found) -> datetime | None:
    value = _line(name, found)
    moment = json_body.moment(value)
    if value and moment is None:
        raise wrong(
            name,
            "is no moment; allowed: ISO 8601 with an offset, such as "
            "2025-03-14T09:30:00+01:00, or seconds since 1970",
        )
    return moment


def _people(name: str, found: Found) -> tuple[str, ...]:
    """Return the names; a text holds one in each line, or parted by semicolons."""
    return json_body.names(
        part
        for text in _texts(name, found)
        for part in text.replace(";", "\n").splitlines()
    )


def _addresses(name: str, found: Found) -> tuple[str, ...]:
    texts = [text.replace(";", ",") for text in _texts(name, found)]
    lines = [json_body.line(address) for _, address in getaddresses(texts)]
    return json_body.names(each.lower() for each in lines if "@" in each)


def _texts(name: str, found: Found) -> Iterable[str]:
    value = value_of(found)
    items = value if isinstance(value, list) else [value]
    if any(isinstance(each, dict | list) for each in items):
        raise wrong(
            name, "finds objects; point at their names, such as $.people[*].name"
        )
    return [text_of(each) for each in items]


def wrong(name: str, problem: str) -> SenderRefusedError:
    """Return the refusal of a delivery by a field of the mapping."""
    return SenderRefusedError("malformed", f"mapping.{name}: {problem}.")


READERS: Mapping[str, Callable[[str, Found], Any]] = {
    "content": lambda name, found: None,
    "media_type": _line,
    "source": _source,
    "event_id": _event_key,
    "subject": _line,
    "participants": _people,
    "reference_time": _moment,
    "language": _language,
    "recipients": _addresses,
}
