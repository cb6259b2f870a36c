"""Inbound endpoints: who delivers there, and what becomes of it. Pure."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, Literal

from flaskllm.core.errors import NotFound
from flaskllm.storage.inbound import InboundRow

Origin = Literal["file", "api"]


@dataclass(frozen=True, slots=True)
class InboundTerms:
    """What was said of an inbound endpoint.

    Attributes:
        secret: As the sender's own pages show it; None where none is set.
        username: Of the credentials in the address, with `password`.
        topics: The SNS topics that may deliver, by their ARNs.
        api_key: With which transcripts are fetched.
        mapping: Where our fields stand in a delivery of `generic`.
        recipients: Lower-case addresses, or `@` and a domain; empty is everybody.
        digest: The webhook's fields, by their names there; plain JSON.
        callback_url: Where the end of a job is told; or the `endpoint` that is told.
    """

    secret: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    topics: tuple[str, ...] = ()
    api_key: str | None = field(default=None, repr=False)
    mapping: Mapping[str, str] = field(default_factory=dict)
    recipients: tuple[str, ...] = ()
    digest: Mapping[str, Any] = field(default_factory=dict)
    callback_url: str | None = field(default=None, repr=False)
    endpoint: str | None = None

    def wants(self, recipients: tuple[str, ...]) -> bool:
        """Tell whether mail to one of these lower-case addresses is digested."""
        if not self.recipients:
            return True
        domains = (f"@{each.rpartition('@')[2]}" for each in recipients)
        return not {*recipients, *domains}.isdisjoint(self.recipients)


@dataclass(frozen=True, slots=True)
class Inbound:
    """An inbound endpoint.

    Attributes:
        principal_id: For whom jobs are made, and who pays.
        origin: The settings file, or the admin API.
        created_at: Aware; None for one of the file.
    """

    id: str
    name: str
    sender: str
    principal_id: str
    state: str
    origin: Origin
    terms: InboundTerms
    created_at: datetime | None = None

    @property
    def address(self) -> str:
        """Return the path at which it takes deliveries."""
        return f"/api/v1/inbound/{self.sender}/{self.id}"


_LISTS = ("topics", "recipients")
TERM_NAMES = frozenset(each.name for each in fields(InboundTerms))
"""What is sealed of an endpoint."""


def terms_of(said: Mapping[str, Any]) -> InboundTerms:
    """Return terms by what was said of them; nulls and other names say nothing."""
    told: dict[str, Any] = {
        name: tuple(value) if name in _LISTS else value
        for name, value in said.items()
        if name in TERM_NAMES and value is not None
    }
    if "recipients" in told:
        told["recipients"] = tuple(each.strip().lower() for each in told["recipients"])
    return InboundTerms(**told)


def to_json(terms: InboundTerms) -> bytes:
    """Return terms as they are kept."""
    said = {name: value for name, value in asdict(terms).items() if value}
    return json.dumps(said).encode("ascii")


def of_row(row: InboundRow) -> Inbound:
    """Return the endpoint that a row keeps."""
    return Inbound(
        id=row.id,
        name=row.name,
        sender=row.sender,
        principal_id=row.principal_id,
        state=row.state,
        origin="api",
        terms=terms_of(json.loads(row.terms)),
        created_at=row.created_at,
    )


def not_found() -> NotFound:
    """Return the answer for an endpoint that is not there."""
    return NotFound("There is no inbound endpoint with this id.")
