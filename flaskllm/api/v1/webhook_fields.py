"""What a caller may say about a document: the names, the types, the rules."""

import re
import zoneinfo
from collections.abc import Mapping
from datetime import datetime
from itertools import product
from string import ascii_lowercase
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from flaskllm.api.openapi import text_properties
from flaskllm.api.v1.cache_fields import CacheFields
from flaskllm.api.v1.paging import NO_NUL
from flaskllm.api.validation import refusal, shorten
from flaskllm.core.languages import is_language
from flaskllm.core.sensitive import OnSensitive
from flaskllm.inputs.document import SourceKind
from flaskllm.services.digests.types import (
    DigestType,
    OnAutomatic,
    OnThread,
    ResponseFormat,
)

LONGEST_NAME = 200
LONGEST_JOB_SECONDS = 30 * 86_400
NOT_BLANK = r"[^ \t\n\r\f\v]"
"""What a document must hold: one sign that is no ASCII white space."""

_EMPTY = {"const": ""}
_LANGUAGES = [
    code
    for pair in product(ascii_lowercase, repeat=2)
    if is_language(code := "".join(pair))
]
# RFC 3339, section 5.6; `datetime` would also take week dates and no offset. It
# admits 29 February in every year and is the pattern of the schema as well.
_DAY = (
    r"((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    r"|02-(0[1-9]|[12][0-9]))"
)
_RFC_3339 = (
    rf"([1-9][0-9]{{3}})-{_DAY}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(\.[0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)


def _check_language(value: str) -> str:
    if not is_language(value):
        problem = f"{shorten(value)!r} is unknown"
        raise refusal(problem, "an ISO 639-1 code in small letters, such as en")
    return value


def _check_timezone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        problem = f"{shorten(value)!r} is unknown"
        raise refusal(problem, "an IANA name, such as Europe/Berlin") from error
    return value


def _parse_moment(value: object) -> datetime:
    allowed = "RFC 3339 with an offset, such as 2025-03-14T09:30:00+01:00"
    if not isinstance(value, str):
        raise refusal("is not a string", allowed)
    if not re.fullmatch(_RFC_3339, value):
        raise refusal(f"{shorten(value)!r} is in another form", allowed)
    try:
        return datetime.fromisoformat(value.upper().replace(" ", "T"))
    except ValueError as error:
        raise refusal(f"{shorten(value)!r} is no moment", allowed) from error


def drop_absent(data: Any) -> Any:
    """Return `data` without empty strings and nulls: forms send those for nothing."""
    if not isinstance(data, dict):
        return data
    return {name: value for name, value in data.items() if value not in ("", None)}


def _allow_absent(schema: dict[str, Any]) -> None:
    """Say in the schema too that an empty string counts as absent."""
    for name, value in schema["properties"].items():
        if name != "prompt":
            others = [each for each in value["anyOf"] if each != _EMPTY]
            value["anyOf"] = [*others, _EMPTY]
            del value["default"]


Language = Annotated[
    str,
    AfterValidator(_check_language),
    WithJsonSchema({"type": "string", "enum": _LANGUAGES}),
]
Timezone = Annotated[
    str,
    AfterValidator(_check_timezone),
    WithJsonSchema({"type": "string", "format": "iana-timezone"}),
]
Moment = Annotated[
    datetime,
    PlainValidator(_parse_moment),
    WithJsonSchema({"type": "string", "pattern": f"^{_RFC_3339}$"}),
]
Name = Annotated[str, Field(max_length=LONGEST_NAME)]
Url = Annotated[str, Field(max_length=2048)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,40}$")]
EventId = Annotated[str, Field(max_length=400, pattern=NO_NUL)]
Priority = Annotated[int, Field(ge=1, le=9)]
JobSeconds = Annotated[int, Field(ge=1, le=LONGEST_JOB_SECONDS)]


class WebhookFields(CacheFields):
    """The fields that go with every form of a document; all may be left out."""

    model_config = ConfigDict(
        hide_input_in_errors=True, json_schema_extra=_allow_absent, extra="ignore"
    )

    source: SourceKind | None = Field(None, description="What the document is.")
    type: DigestType | None = Field(
        None, description="What to make; summary if absent."
    )
    language: Language | None = Field(
        None, description="The answer's language; the document's own if absent."
    )
    model: Name | None = Field(
        None, description="A model alias; the default route's if absent."
    )
    template: Name | None = Field(
        None, description="A prompt template; the type's own if absent."
    )
    variables: dict[str, Any] | None = Field(
        None, description="Values for the template; `labels` or `schema` for a type."
    )
    response_format: ResponseFormat | None = Field(
        None, description="The form of `data.text`; text if absent."
    )
    metadata: dict[str, Any] | None = Field(
        None, description="Anything; comes back in `meta.metadata`."
    )
    reference_time: Moment | None = Field(
        None, description="What `tomorrow` counts from; the mail's date if absent."
    )
    timezone: Timezone | None = Field(
        None, description="Where dates without an offset are meant."
    )
    participants: list[str] | None = Field(
        None, description="Names of people who may own action items."
    )
    automatic: OnAutomatic | None = Field(
        None, description="Digest a bounce or an automatic reply too; skip if absent."
    )
    on_sensitive: OnSensitive | None = Field(
        None,
        description="local keeps a document that matches a rule on local deployments; "
        "it cannot loosen what the settings say.",
    )
    redact: bool | None = Field(
        None,
        description="Put placeholders for names, addresses and numbers before a model "
        "sees it; as the settings say if absent.",
    )
    thread: OnThread | None = Field(
        None,
        description="Remember what is known of the mail's thread, or ignore it; as a "
        "job it is remembered if absent.",
    )
    is_async: bool | None = Field(
        None, alias="async", description="Accept it now, and do it as a job."
    )
    callback_url: Url | None = Field(
        None, description="Where the end of the job is told; it makes it one."
    )
    endpoint: Id | None = Field(
        None, description="An endpoint of yours that is told; it makes it a job."
    )
    priority: Priority | None = Field(
        None, description="Of the job, among your own; lower goes first, 5 if absent."
    )
    deadline_seconds: JobSeconds | None = Field(
        None, description="When the job is given up, from now."
    )
    event_id: EventId | None = Field(
        None, description="What the sender calls the event: it is done once."
    )
    force: bool | None = Field(
        None, description="Do the job anew, even if the event was seen before."
    )

    dry_run: bool | None = Field(
        None, description="Answer with the plan and its cost alone; ask no model."
    )

    drop_absent = model_validator(mode="before")(drop_absent)

    def given(self) -> Mapping[str, Any]:
        """Return what was said, without what was left out."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class WebhookJson(WebhookFields):
    """A document as JSON."""

    prompt: str = Field(
        description="The mail, transcript or text.",
        json_schema_extra={"pattern": NOT_BLANK},
    )


WEBHOOK_FIELDS = frozenset(
    field.alias or name for name, field in WebhookFields.model_fields.items()
)
JOB_FIELDS = frozenset(
    {
        "is_async",
        "callback_url",
        "endpoint",
        "priority",
        "deadline_seconds",
        "event_id",
        "force",
        "dry_run",
    }
)
"""Those that are about how it is done, and not about the digest."""


def form_schema() -> dict[str, Any]:
    """Return the schema of a document as a form: a `file` or else a `prompt`."""
    document = {"type": "string", "minLength": 1, "pattern": NOT_BLANK}
    return {
        "type": "object",
        "properties": text_properties(WebhookFields)
        | {"file": document | {"format": "binary"}, "prompt": document},
        "oneOf": [{"required": ["file"]}, {"required": ["prompt"]}],
    }
