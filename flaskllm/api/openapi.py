"""The OpenAPI 3.1 description, made from what each route declares once."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from flask import Flask
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from flaskllm import __version__
from flaskllm.api.errors import CHALLENGE
from flaskllm.api.guard import Access, access_of
from flaskllm.api.idempotency import HEADER, PATTERN, REPLAYED, is_idempotent
from flaskllm.core.errors import (
    APIError,
    AuthenticationError,
    Conflict,
    IdempotencyKeyReused,
    InsufficientStorage,
    InternalError,
    InvalidInputError,
    PermissionDenied,
    RateLimitExceeded,
    ServiceUnavailable,
    UnsupportedMediaType,
)

View = TypeVar("View", bound=Callable[..., object])
Schema = dict[str, Any]
Mode = Literal["validation", "serialization"]
References = Mapping[tuple[Any, Mode], Schema]

_MARK = "flaskllm_document"
_PREFIX = "/api/v1/"
_REF = "#/components/schemas/{model}"
_ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")

# What any route may answer: a Host or an encoding that is refused, plain http
# where it is not allowed, too many requests, and our own faults.
_ALWAYS: tuple[type[APIError], ...] = (
    InvalidInputError,
    PermissionDenied,
    UnsupportedMediaType,
    RateLimitExceeded,
    InternalError,
    ServiceUnavailable,
    InsufficientStorage,
)
_HEADERS: Mapping[int, tuple[str, ...]] = {
    202: ("Location", "Retry-After"),
    401: ("WWW-Authenticate",),
    409: ("Retry-After",),
    429: ("Retry-After",),
    503: ("Retry-After",),
    507: ("Retry-After",),
}
_HEADER_TEXTS: Mapping[str, Schema] = {
    "X-Request-ID": {
        "description": "The id of this request, as it stands in the logs.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{8,128}$"},
        "required": True,
    },
    "WWW-Authenticate": {
        "description": "How to prove who is calling.",
        "schema": {"type": "string", "const": CHALLENGE},
        "required": True,
    },
    "Location": {
        "description": "Where to ask for the answer of a job.",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds after which to ask again: the answer may be there, or "
        "the same request may succeed.",
        "schema": {"type": "integer", "minimum": 1},
    },
    REPLAYED: {
        "description": "Nothing was run: this is the answer that was given before.",
        "schema": {"type": "string", "const": "true"},
    },
}
_SCHEMES: Schema = {
    "api_token": {"type": "http", "scheme": "bearer"},
    "sender": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "What the sender proves itself with: credentials in the "
        "address, or a signature in headers or in the body.",
    },
}
_KEY: Schema = {
    "name": HEADER,
    "in": "header",
    "description": "A name for this request, bare or in double quotes: whoever repeats "
    "it within 24 hours gets the same answer.",
    "schema": {"type": "string", "pattern": PATTERN},
}
_PREFER: Schema = {
    "name": "Prefer",
    "in": "header",
    "description": "`respond-async` for a job, `wait=10` to wait so many seconds for "
    "it first, at most 25 (RFC 7240).",
    "schema": {"type": "string"},
}


class WrongField(BaseModel):
    """One thing that is wrong with a request."""

    path: str = Field(description="The field, dotted: `variables.labels`.")
    problem: str = Field(description="What was found.")
    allowed: str = Field(description="What would be accepted.")


class Error(BaseModel):
    """What every failure looks like."""

    error: str = Field(description="One sentence.")
    details: str = Field(description="What was wrong and what to do; may be empty.")
    code: str = Field(description="A stable code.")
    # A schema from which the key may be absent, but in which it is never null.
    fields: list[WrongField] = Field(
        default=[], description="Each wrong field, when the request was not valid."
    )


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a route says of itself, see `documented`."""

    summary: str
    body: Mapping[str, type[BaseModel] | Schema]
    query: type[BaseModel] | None
    replies: Mapping[int, type[BaseModel] | Schema]
    errors: tuple[type[APIError], ...]
    is_idempotent: bool = False
    heeds_preferences: bool = False


def documented(
    *,
    summary: str,
    replies: Mapping[int, type[BaseModel] | Schema],
    body: Mapping[str, type[BaseModel] | Schema] = MappingProxyType({}),
    query: type[BaseModel] | None = None,
    errors: tuple[type[APIError], ...] = (),
    heeds_preferences: bool = False,
) -> Callable[[View], View]:
    """Declare a route: what it takes, what it answers, how it may fail.

    Args:
        summary: One sentence, an imperative.
        replies: The model, or OpenAPI's Media Type Objects by media type, of each
            status that is no failure.
        body: The model, or OpenAPI's Media Type Object, of each body that is read.
        query: The model of the query parameters.
        errors: What only this route raises, beyond what every route may.
        heeds_preferences: Whether it reads the header `Prefer`.
    """
    declaration = Declaration(
        summary, body, query, replies, errors, heeds_preferences=heeds_preferences
    )

    def mark(view: View) -> View:
        repeatable = replace(
            declaration,
            errors=(*errors, Conflict, IdempotencyKeyReused),
            is_idempotent=True,
        )
        setattr(view, _MARK, repeatable if is_idempotent(view) else declaration)
        return view

    return mark


def check_declared(app: Flask) -> None:
    """Raise `RuntimeError` unless each route below `/api/v1` was declared."""
    _declared(app)


def describe(app: Flask) -> Schema:
    """Return the OpenAPI 3.1 document of the routes below `/api/v1`.

    It takes a part of a second, and is the same as long as `app` lives.

    Raises:
        RuntimeError: A route there was not declared.
    """
    declared = _declared(app)
    references, components = _schemas(declaration for _, declaration, _ in declared)
    paths: Schema = {}
    for rule, declaration, view in declared:
        operation = _operation(declaration, access_of(view) or Access(), references)
        operation["operationId"] = rule.endpoint.replace(".", "_")
        if rule.arguments:
            operation["parameters"] = list(_path_parameters(rule))
        paths.setdefault(template_of(rule.rule), {})[_method(rule)] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "flaskllm", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": _SCHEMES,
        },
    }


def _declared(app: Flask) -> list[tuple[Rule, Declaration, Callable[..., object]]]:
    routes = (
        (rule, app.view_functions[rule.endpoint])
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(_PREFIX)
    )
    return [(rule, _declaration_of(rule, view), view) for rule, view in routes]


def _declaration_of(rule: Rule, view: Callable[..., object]) -> Declaration:
    declaration: Declaration | None = getattr(view, _MARK, None)
    if declaration is None:
        raise RuntimeError(f"{rule.rule} is not @documented")
    return declaration


def template_of(rule: str) -> str:
    """Return the address of a rule as OpenAPI writes it: `{name}` for `<path:name>`."""
    return _ARGUMENT.sub(r"{\1}", rule)


def _path_parameters(rule: Rule) -> Iterator[Schema]:
    for name in _ARGUMENT.findall(rule.rule):
        schema = {"type": "string", "minLength": 1}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _method(rule: Rule) -> str:
    """Return the one method of a rule; Flask adds HEAD and OPTIONS by itself."""
    (method,) = (rule.methods or set()) - {"HEAD", "OPTIONS"}
    return method.lower()


def _schemas(declarations: Iterable[Declaration]) -> tuple[References, Schema]:
    """Return the reference of each model, and the definitions they point to."""
    models: list[tuple[type[BaseModel], Mode]] = [(Error, "serialization")]
    for declaration in declarations:
        bodies = declaration.body.values()
        models += [(body, "validation") for body in bodies if isinstance(body, type)]
        replies = declaration.replies.values()
        models += [
            (each, "serialization") for each in replies if isinstance(each, type)
        ]
    references, definitions = models_json_schema(models, ref_template=_REF)
    return references, definitions["$defs"]


def _operation(
    declaration: Declaration, access: Access, references: References
) -> Schema:
    operation: Schema = {"summary": declaration.summary, "security": []}
    if access.any_of:
        operation["security"] = [{"api_token": list(access.any_of)}]
    if access.by_sender:
        operation["security"] = [{"sender": []}]
    if declaration.query:
        operation["parameters"] = list(_parameters(declaration.query))
    if declaration.is_idempotent:
        operation["parameters"] = [*operation.get("parameters", ()), _KEY]
    if declaration.heeds_preferences:
        operation["parameters"] = [*operation.get("parameters", ()), _PREFER]
    if declaration.body:
        content = {
            media_type: _media_type_of(body, references)
            for media_type, body in declaration.body.items()
        }
        operation["requestBody"] = {"required": True, "content": content}
    operation["responses"] = dict(_responses(declaration, access, references))
    return operation


def _responses(
    declaration: Declaration, access: Access, references: References
) -> Iterator[tuple[str, Schema]]:
    for status, codes in _failures(declaration, access).items():
        wording = {
            "allOf": [references[Error, "serialization"]],
            "properties": {"code": {"enum": codes}},
        }
        schema = wording
        # A probe's "not ready" and a failure may share a status.
        shared = declaration.replies.get(status)
        if isinstance(shared, type):
            schema = {"anyOf": [wording, references[shared, "serialization"]]}
        content = {"application/json": {"schema": schema}}
        yield str(status), _response(status, ", ".join(codes), content)
    for status, reply in declaration.replies.items():
        if status < 400:
            content = _content_of(reply, references)
            told = _response(status, HTTPStatus(status).phrase, content)
            if declaration.is_idempotent:
                told["headers"][REPLAYED] = _HEADER_TEXTS[REPLAYED]
            yield str(status), told


def _content_of(reply: type[BaseModel] | Schema, references: References) -> Schema:
    if isinstance(reply, type):
        return {"application/json": {"schema": references[reply, "serialization"]}}
    return reply


def _media_type_of(body: type[BaseModel] | Schema, references: References) -> Schema:
    if isinstance(body, type):
        return {"schema": references[body, "validation"]}
    return body


def _parameters(model: type[BaseModel]) -> Iterator[Schema]:
    """Return each field as a query parameter; an object travels as JSON text."""
    for name, schema in text_properties(model).items():
        description = schema.pop("description")
        is_object = schema.get("type") == "object"
        where = {"content": {"application/json": {"schema": schema}}}
        yield {"name": name, "in": "query", "description": description} | (
            where if is_object else {"schema": schema}
        )


def text_properties(model: type[BaseModel]) -> dict[str, Schema]:
    """Return the fields of `model` for a query or a form, which know no null.

    A field that may be left out is `X | None` in the model. An object is JSON
    text, a list is its field once for each value.
    """
    properties: dict[str, Schema] = model.model_json_schema()["properties"]
    for schema in properties.values():
        choices = [each for each in schema.pop("anyOf") if each != {"type": "null"}]
        whole = [each for each in choices if each.get("type") in ("object", "array")]
        schema.pop("default", None)  # absent, which is not null
        schema |= whole[0] if whole else {"anyOf": choices}
    return properties


def _failures(declaration: Declaration, access: Access) -> Mapping[int, list[str]]:
    """Return the codes of each status that this route may fail with."""
    guards = (AuthenticationError,) if access.any_of or access.by_sender else ()
    by_status: dict[int, list[str]] = {}
    for error in (*_ALWAYS, *guards, *declaration.errors):
        codes = by_status.setdefault(error.status, [])
        if error.code not in codes:
            codes.append(error.code)
    return dict(sorted(by_status.items()))


def _response(status: int, description: str, content: Schema) -> Schema:
    names = ("X-Request-ID", *_HEADERS.get(status, ()))
    return {
        "description": description,
        "headers": {name: _HEADER_TEXTS[name] for name in names},
        **({"content": content} if content else {}),
    }
