"""The three forms in which a document arrives: JSON, a raw body, multipart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import request
from werkzeug.datastructures import FileStorage, MultiDict

from flaskllm.api.v1.webhook_fields import (
    WEBHOOK_FIELDS,
    WebhookFields,
    WebhookJson,
)
from flaskllm.api.validation import (
    parse_model,
    parse_object,
    read_body,
    read_json,
    shorten,
)
from flaskllm.core.errors import InvalidInputError
from flaskllm.inputs import field_name_of, media_types, refuse_empty

WEBHOOK_BODY_BYTES = 10 * 1024 * 1024
MOST_WARNINGS = 20

MULTIPART = "multipart/form-data"

_OBJECTS = ("variables", "metadata")


@dataclass(frozen=True, slots=True)
class Received:
    """A document as it came, and what was said about it.

    `media_type` None means that it came as text, of which nothing is known.
    """

    content: bytes
    fields: Mapping[str, Any]
    media_type: str | None = None
    charset: str | None = None
    file_name: str | None = None
    unknown: tuple[str, ...] = field(default=())


def receive() -> Received:
    """Return the document of this request; fields of the body win over the query's.

    Raises:
        InvalidInputError: A field is wrong, or there is no document.
        PayloadTooLarge: The body is over 10 MiB, or has more than 1000 parts.
        UnsupportedMediaType: The body is in none of the three forms.
    """
    received = _receive()
    place = field_name_of(received.media_type, received.file_name)
    refuse_empty(received.content, place)
    return received


def _receive() -> Received:
    if request.is_json:
        return _receive_json()
    if request.mimetype == MULTIPART:
        return _receive_multipart()
    return _receive_raw()


def _receive_json() -> Received:
    said, unknown = _query()
    body = read_json(WEBHOOK_BODY_BYTES)
    model = parse_model(WebhookJson, body)
    given = dict(model.given())
    prompt = given.pop("prompt")
    return Received(
        prompt.encode("utf-8"),
        {**said, **given},
        charset="utf-8",
        unknown=unknown + unknown_fields(body, {*WEBHOOK_FIELDS, "prompt"}),
    )


def _receive_raw() -> Received:
    others = ("application/json", MULTIPART)
    media_type = media_types.resolve(request.mimetype, also=others)
    said, unknown = _query()
    return Received(
        read_body(WEBHOOK_BODY_BYTES),
        said,
        media_type=media_type,
        charset=request.mimetype_params.get("charset"),
        unknown=unknown,
    )


def _receive_multipart() -> Received:
    said, unknown = _query()
    read_body(WEBHOOK_BODY_BYTES)
    request.max_form_memory_size = WEBHOOK_BODY_BYTES
    form, files = request.form, request.files
    given = parse_model(WebhookFields, _read_pairs(form)).given()
    unknown += unknown_fields(form, {*WEBHOOK_FIELDS, "prompt"})
    unknown += unknown_fields(files, {"file"})
    # A browser sends a file field that was left empty without a name.
    sent = [file for file in files.getlist("file") if file.filename]
    prompt = form.get("prompt", "")
    if len(sent) + bool(prompt) != 1:
        raise InvalidInputError.of(
            "file", "is missing or not alone", "`file` or `prompt`"
        )
    fields = {**said, **given}
    if prompt:
        content = prompt.encode("utf-8")
        return Received(content, fields, charset="utf-8", unknown=unknown)
    return _from_file(sent[0], fields, unknown)


def _from_file(
    file: FileStorage, fields: Mapping[str, Any], unknown: tuple[str, ...]
) -> Received:
    return Received(
        file.read(),
        fields,
        media_type=media_types.resolve(file.mimetype, file.filename),
        charset=file.mimetype_params.get("charset"),
        file_name=file.filename,
        unknown=unknown,
    )


def _query() -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Return the fields of the query, checked, and the names that mean nothing."""
    given = parse_model(WebhookFields, _read_pairs(request.args)).given()
    return given, unknown_fields(request.args, WEBHOOK_FIELDS)


def _read_pairs(pairs: MultiDict[str, str]) -> dict[str, Any]:
    """Return what text fields say, as JSON would have said it."""
    return {
        name: _read_text(name, pairs.getlist(name))
        for name in pairs
        if name in WEBHOOK_FIELDS
    }


def _read_text(name: str, values: list[str]) -> object:
    if name == "participants":
        return values
    if len(values) > 1:
        raise InvalidInputError.of(name, "is given more than once", "one value")
    if name in _OBJECTS and values[0]:
        return _read_object(name, values[0])
    return values[0]


def _read_object(name: str, text: str) -> dict[str, Any]:
    try:
        return parse_object(text.encode("utf-8"))
    except (InvalidInputError, UnicodeEncodeError) as error:
        raise InvalidInputError.of(
            name, "is no JSON object", "an object as JSON text"
        ) from error


def unknown_fields(
    names: Mapping[str, Any], known: set[str] | frozenset[str]
) -> tuple[str, ...]:
    """Return one warning for each of the first names that mean nothing here."""
    strange = [name for name in names if name not in known][:MOST_WARNINGS]
    # A part of a form may come without a name at all.
    return tuple(f"unknown_field: {shorten(name or '')}" for name in strange)
