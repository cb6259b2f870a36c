"""Everything else: JSON or a form, with a mapping of our fields to JSON paths.

For Zapier, Make, n8n, Power Automate, Apps Script, tl;dv, Vexa and whatever can post.
The endpoint's `mapping` says where each of `FIELDS` stands; without one they stand at
the top under their own names. `source` may be the word itself instead of a path, the
same for all deliveries. A form counts as a flat object.

Proof: `Authorization: Bearer` with the endpoint's secret, or basic credentials; both
compared in constant time. There is no signature, since such tools cannot make one.

Codes: these tools show a person what came back, and most do not repeat. So success is
200 (nobody with only the endpoint's secret could ask for a job, so there is nothing
that 202 could point at), and 401, 400, 413 say what to mend in the scenario. A mail
for a recipient who is not allowed is 200: Make switches a scenario off after errors.
"""

import re
from collections.abc import Mapping
from typing import Final

from flaskllm.core import json_text
from flaskllm.inputs.senders import basic, forms, json_body, paths
from flaskllm.inputs.senders.mapped import (
    FIELDS,
    NO_SOURCE,
    READERS,
    is_source,
    text_of,
    value_of,
    wrong,
)
from flaskllm.inputs.senders.paths import Found, NoPathError, PathError
from flaskllm.inputs.senders.signed import same, secret_of
from flaskllm.inputs.senders.types import (
    Delivery,
    Item,
    Reading,
    SecretFault,
    Sender,
    SenderRefusedError,
    Statuses,
    Terms,
)

MISSING: Final = "mapped_field_missing"
"""The warning when a path of the mapping that is not `content` finds nothing."""

_JSON = "application/json"
_BEARER = "bearer "
# What a header brings here, see PEP 3333: ISO 8859-1 without control characters.
_IN_A_HEADER = re.compile(r"[\t -~\xa0-\xff]+")


def secret_fault(secret: str) -> SecretFault | None:
    """Return what keeps a text from being a bearer token, if anything.

    Its people make it up, so blanks may stand in it, as in a passphrase. Those at its
    ends are lost on the way.
    """
    if secret == secret.strip() and _IN_A_HEADER.fullmatch(secret):
        return None
    return SecretFault(
        "holds white space at its ends, or a sign that no header carries",
        "random letters and digits, without white space around them",
    )


def prove(delivery: Delivery, terms: Terms) -> None:
    """Return when the delivery carries the endpoint's secret or its credentials.

    Raises:
        SenderRefusedError: `unproven`.
    """
    given = delivery.headers.get("authorization", "").strip()
    if not terms.secret or given[:6].lower() == "basic ":
        basic.prove_basic(delivery, terms)
        return
    is_bearer = given[: len(_BEARER)].lower() == _BEARER
    token = given[len(_BEARER) :].strip() if is_bearer else ""
    if not same(token, secret_of(terms).decode("utf-8")):
        raise SenderRefusedError(
            "unproven",
            "The bearer token is missing or wrong; send Authorization: Bearer with "
            "the endpoint's secret.",
        )


def read(delivery: Delivery, terms: Terms) -> Reading:
    """Return the document of a proven delivery.

    Raises:
        SenderRefusedError: `malformed`: the body cannot be read, or a field of the
            mapping cannot; the field is named.
    """
    document = _document(delivery)
    found = _found(document, terms.mapping)
    values = {name: READERS[name](name, each) for name, each in found.items()}
    if is_source("source", said := terms.mapping.get("source")):
        values["source"] = said
    content, content_type = _content(found.get("content"))
    fields = ("participants", "reference_time", "language")
    missing = sorted(
        name for name in terms.mapping if name in found and not found[name].values
    )
    return Item(
        content=content,
        media_type=content_type or values.get("media_type") or None,
        source=values.get("source") or "other",
        event_key=values.get("event_id") or "",
        charset="utf-8",
        recipients=values.get("recipients") or (),
        fields={name: values[name] for name in fields if values.get(name)},
        metadata=json_body.named(subject=values.get("subject")),
        warnings=tuple(f"{MISSING}: {name}" for name in missing),
    )


def check_mapping(mapping: Mapping[str, object]) -> list[str]:
    """Return what is wrong with a mapping, one text each; none when it is empty.

    Each reads `name: problem; allowed: what is`.
    """
    problems = [
        f"{json_body.line(name)}: is unknown; allowed: {', '.join(FIELDS)}"
        for name in mapping
        if name not in FIELDS
    ]
    if mapping and "content" not in mapping:
        problems.append("content: is missing; allowed: where the document stands")
    for name in FIELDS:
        try:
            if name in mapping and not is_source(name, mapping[name]):
                paths.check(mapping[name])
        except PathError as error:
            is_word = name == "source" and isinstance(error, NoPathError)
            problems.append(f"{name}: {NO_SOURCE if is_word else error}")
    return problems


def _document(delivery: Delivery) -> object:
    if not forms.is_form(delivery):
        return json_body.read_json(delivery.body)
    form = forms.read_form(delivery)
    return {each.name: each.text() for each in form.fields}


def _found(document: object, mapping: Mapping[str, str]) -> dict[str, Found]:
    where = mapping or {name: f"$.{name}" for name in FIELDS}
    found = {}
    for name in FIELDS:
        try:
            if name in where and not is_source(name, where[name]):
                found[name] = paths.find(where[name], document)
        except PathError as error:
            raise wrong(name, str(error)) from None
    return found


def _content(found: Found | None) -> tuple[bytes, str | None]:
    """Return the document's bytes, and their type where the mapping decides it."""
    value = value_of(found) if found else None
    items = value if isinstance(value, list) else [value]
    if any(isinstance(each, dict | list) and each for each in items):
        return json_text.dump(value), _JSON
    text = "\n".join(text_of(each) for each in items)
    if not text.strip():
        raise wrong("content", "finds nothing in this delivery")
    return text.encode("utf-8", "replace"), None


GENERIC = Sender(
    name="generic",
    prove=prove,
    read=read,
    statuses=Statuses(),
    wants=(("secret",), ("username", "password")),
    secret_fault=secret_fault,
)
