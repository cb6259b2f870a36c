"""The row of an API token, as a dataclass and back."""

import json
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import RowMapping

from flaskllm.core.auth import Principal, PrincipalLimits, Scope

State = Literal["active", "expired", "revoked"]

TOUCH_INTERVAL = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ApiTokenRecord:
    """One API token. The digests are HMAC-SHA-256; all times are aware, in UTC.

    `expires_at` None = never; `revoked_at` and `last_used_at` None = not yet.
    `previous_digest` is that of the secret before the last roll, which is good
    until `previous_until`; both are None without such a one. `aliases`, `networks`
    and limits that are None restrict nothing.
    """

    id: str
    kind: str
    name: str
    digest: bytes = field(repr=False)
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    direct_models: bool = False
    previous_digest: bytes | None = field(default=None, repr=False)
    previous_until: datetime | None = None
    aliases: frozenset[str] | None = None
    networks: tuple[str, ...] | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent_requests: int | None = None
    owner: str = ""
    tags: tuple[str, ...] = ()
    created_by: str = ""

    def state_at(self, now: datetime) -> State:
        """Return what has become of it by then; `now` is aware."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return "active"

    def principal(self) -> Principal:
        """Return who calls with it."""
        return Principal(
            self.id,
            self.name,
            self.scopes,
            self.kind,
            self.direct_models,
            self.aliases,
            PrincipalLimits(
                self.requests_per_minute,
                self.tokens_per_minute,
                self.concurrent_requests,
            ),
            self.networks,
            self.owner,
            self.tags,
            self.expires_at,
        )


def touch_is_due(used_at: datetime | None, now: datetime) -> bool:
    """Tell whether the last use on record is a minute old, or there is none."""
    return used_at is None or used_at <= now - TOUCH_INTERVAL


def to_row(record: ApiTokenRecord) -> dict[str, Any]:
    """Return the columns that hold the record."""
    return asdict(record) | {
        "scopes": " ".join(sorted(record.scopes)),
        "aliases": None
        if record.aliases is None
        else json.dumps(sorted(record.aliases)),
        "networks": None if record.networks is None else json.dumps(record.networks),
        "tags": " ".join(record.tags),
    }


def from_row(row: RowMapping) -> ApiTokenRecord:
    """Return the record that a row holds."""
    named = {each.name: row[each.name] for each in fields(ApiTokenRecord)}
    aliases, networks = row["aliases"], row["networks"]
    read = {
        "scopes": frozenset(Scope(scope) for scope in row["scopes"].split()),
        "aliases": None if aliases is None else frozenset(json.loads(aliases)),
        "networks": None if networks is None else tuple(json.loads(networks)),
        "tags": tuple(row["tags"].split()),
    }
    return ApiTokenRecord(**(named | read))
