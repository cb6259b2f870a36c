"""Bodies and fields: what is read, what is refused, and in which words.

Everything that cannot be read or is not allowed is `InvalidInputError` (400),
but for a wrong content type (415) and a body over its cap (413).
"""

import io
import json
import math
import re
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from flaskllm.core.errors import (
    Field,
    InvalidInputError,
    PayloadTooLarge,
    UnsupportedMediaType,
)

ADMIN_BODY_BYTES = 1024 * 1024
JSON_DEPTH = 64
JSON_TOKENS = 200_000  # strings, commas and opening brackets; 10**5 keys
LONGEST_NUMBER = 400  # digits; more than any number of ours, fewer than cost time
LONGEST_SHOWN_VALUE = 40
MOST_SHOWN_FIELDS = 20
TAG = "@"  # begins the tags of unions, which are no part of a field's path
_PIECE_BYTES = 64 * 1024

Model = TypeVar("Model", bound=BaseModel)

# A whole string, an unfinished one too, is one match: each character is read once.
# So is a list of numbers, up to its next sign or point.
_JSON_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]|,[\d\s,]*+', re.DOTALL)
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe")

# Pydantic's types of error as (what was found, what is allowed); {} from its context.
_PROBLEMS: Mapping[str, tuple[str, str]] = {
    "missing": ("is missing", "a value"),
    "extra_forbidden": ("is not known", "a field of this route"),
    "string_type": ("is not a string", "a string"),
    "string_too_short": ("is too short", "at least {min_length} characters"),
    "string_too_long": ("is too long", "at most {max_length} characters"),
    "string_pattern_mismatch": ("is not in the right form", "{pattern}"),
    "literal_error": ("is unknown", "{expected}"),
    "enum": ("is unknown", "{expected}"),
    "dict_type": ("is not an object", "an object"),
    "model_type": ("is not an object", "an object"),
    "model_attributes_type": ("is not an object", "an object"),
    "list_type": ("is not a list", "a list"),
    "tuple_type": ("is not a list", "a list"),
    "too_short": ("is too few", "at least {min_length}"),
    "too_long": ("is too many", "at most {max_length}"),
    "int_type": ("is not a whole number", "a whole number"),
    "int_parsing": ("is not a whole number", "a whole number"),
    "int_from_float": ("is not a whole number", "a whole number"),
    "float_type": ("is not a number", "a number"),
    "float_parsing": ("is not a number", "a number"),
    "bool_type": ("is neither true nor false", "true or false"),
    "bool_parsing": ("is neither true nor false", "true or false"),
    "greater_than": ("is too small", "more than {gt}"),
    "greater_than_equal": ("is too small", "at least {ge}"),
    "less_than": ("is too large", "less than {lt}"),
    "less_than_equal": ("is too large", "at most {le}"),
    # What our own validators raise, see `refusal`.
    "refused": ("{problem}", "{allowed}"),
}


def read_body(max_bytes: int) -> bytes:
    """Return the body; Flask keeps it, so a form can be read from it afterwards.

    Raises:
        PayloadTooLarge: It is longer than `max_bytes`. An announced length is
            refused unread, an unknown one after one byte too many.
        InvalidInputError: It ended before the length that was announced.
    """
    announced = request.content_length or 0
    if announced > max_bytes:
        raise _too_large(f"{announced} bytes", max_bytes)
    # Werkzeug cuts a body of unknown length at this without a word, so one byte
    # more than the cap is how we learn that there was more.
    request.max_content_length = max_bytes + 1
    pieces: list[bytes] = []
    left = max_bytes
    # A buffer that grows would be held twice whenever it moves.
    while piece := request.stream.read(_PIECE_BYTES):
        pieces.append(piece)
        left -= len(piece)
        if left < 0:
            raise _too_large("more", max_bytes)
    request.stream = io.BytesIO(b"".join(pieces))
    body = request.get_data()
    if len(body) < announced:  # gunicorn ends the stream without a word
        raise InvalidInputError(
            details=f"The body ended after {len(body)} bytes; Content-Length "
            f"announced {announced}."
        )
    return body


def read_json(max_bytes: int, max_tokens: int = JSON_TOKENS) -> dict[str, Any]:
    """Return the JSON object in the body of this request, see `parse_object`."""
    if not request.is_json:
        raise UnsupportedMediaType(
            details=f"Content-Type: {shorten(request.mimetype) or 'none'}; "
            "allowed: application/json."
        )
    return parse_object(read_body(max_bytes), max_tokens)


def parse_object(body: bytes, max_tokens: int = JSON_TOKENS) -> dict[str, Any]:
    """Return the JSON object that `body` holds; of a key given twice the last.

    Refused before it is parsed: no UTF-8, deeper than 64, `max_tokens` strings,
    commas and opening brackets (100,000 keys) or more. Refused while parsing: NaN,
    infinities, numbers too large. Refused after: half a surrogate pair.
    """
    text = _decode(body)
    _check_shape(text, max_tokens)
    try:
        value = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_parse_float,
            parse_int=_parse_int,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _invalid_json(f"{error.msg} at {place}") from error
    if not isinstance(value, dict):
        raise _invalid_json("it is not an object, allowed: {...}")
    if _SURROGATE_ESCAPE.search(text):
        _check_surrogates(value)
    return value


def parse_model(model: type[Model], data: Mapping[str, Any]) -> Model:
    """Return `data` as `model`, or refuse each field that is wrong."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise invalid_fields(error) from error


def invalid_fields(error: ValidationError) -> InvalidInputError:
    """Return pydantic's findings in our words, never with a long value."""
    found = error.errors(include_url=False)[:MOST_SHOWN_FIELDS]
    fields = [_field_of(each) for each in found]
    details = "; ".join(
        f"{field.path}: {field.problem}"
        + (f", allowed: {field.allowed}" if field.allowed else "")
        for field in fields
    )
    return InvalidInputError(details=details, fields=fields)


def refusal(problem: str, allowed: str) -> PydanticCustomError:
    """Return what a validator of ours raises: what was found, what is allowed."""
    return PydanticCustomError(
        "refused", "{problem}", {"problem": problem, "allowed": allowed}
    )


def shorten(value: str) -> str:
    """Return `value` as it may be repeated to the caller: its first 40 characters."""
    cut = value[:LONGEST_SHOWN_VALUE]
    return cut if cut == value else f"{cut}…"


def _too_large(found: str, max_bytes: int) -> PayloadTooLarge:
    return PayloadTooLarge(details=f"{found}, allowed: at most {max_bytes} bytes.")


def _decode(body: bytes) -> str:
    if not body.strip():
        raise _invalid_json("the body is empty")
    if body.startswith(_BYTE_ORDER_MARKS):
        raise _invalid_json("it starts with a byte order mark, allowed: UTF-8 without")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _invalid_json(f"byte {error.start} is not UTF-8") from error


def _check_shape(text: str, max_tokens: int) -> None:
    """Refuse what would cost more to parse than it cost to send."""
    depth = tokens = 0
    for match in _JSON_TOKEN.finditer(text):
        token = match.group()
        depth += (token in "[{") - (token in "]}")
        tokens += token.count(",") if token[0] == "," else token not in "]}"
        if depth > JSON_DEPTH:
            raise _invalid_json(f"nested too deep, allowed: {JSON_DEPTH} levels")
        if tokens >= max_tokens:
            most = f"fewer than {max_tokens // 2:,} keys"
            raise _invalid_json(f"too many values, allowed: {most}")


def _refuse_constant(name: str) -> NoReturn:
    raise _invalid_json(f"{name} is no JSON number")


def _parse_int(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise _invalid_json(
            f"a number of {len(digits)} digits, allowed: {LONGEST_NUMBER}"
        )
    return int(digits)


def _parse_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _invalid_json(f"the number {shorten(text)} is too large")
    return number


def _check_surrogates(value: object) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise _invalid_json("a text holds half of a surrogate pair") from error


def _invalid_json(problem: str) -> InvalidInputError:
    return InvalidInputError(
        "The body is not valid JSON.", details=f"The body: {problem}."
    )


def _field_of(found: ErrorDetails) -> Field:
    problem, allowed = _PROBLEMS.get(found["type"], ("is not valid", ""))
    context = {name: str(value) for name, value in found.get("ctx", {}).items()}
    if "expected" in context:
        # Pydantic quotes each choice; a sentence reads better without.
        context["expected"] = context["expected"].replace("'", "")
    steps = [str(step) for step in found["loc"]]
    path = ".".join(step for step in steps if not step.startswith(TAG)) or "body"
    shown = found["input"]
    if "expected" in context and isinstance(shown, str):
        problem = f"{shorten(shown)!r} is unknown"
    else:
        problem = problem.format_map(context)
    return Field(path, problem, allowed.format_map(context))
