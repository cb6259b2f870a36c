"""The rules of API tokens: their form, their digest, and what they allow.

An API token reads `fllm_<kind>_<id><secret><check>`: 12, 32 and 6 characters of
base62. The secret has 190 bits, so a fast keyed hash is enough to store it. The
check is the CRC-32 of everything before it: it tells a mistyped token, and a
scanner's false find, from a real one without a look into the database.
"""

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from flaskllm.core.ids import random_base62, to_base62

ID_CHARACTERS = 12
SECRET_CHARACTERS = 32
CHECK_CHARACTERS = 6
MAXIMUM_CHARACTERS = 1024

_SANE_ID = re.compile(rf"[0-9A-Za-z]{{{ID_CHARACTERS}}}")
TOKEN_PATTERN = re.compile(
    r"fllm_(?P<kind>[a-z]{1,12})_(?P<id>[0-9A-Za-z]{12})[0-9A-Za-z]{32}"
    r"(?P<check>[0-9A-Za-z]{6})"
)
"""Finds API tokens in any text; `parse_token` then tells whether one is real."""


class Scope(StrEnum):
    """What a principal may do. `ADMIN` holds all others."""

    WEBHOOK = "webhook"
    CHAT = "chat"
    READ = "read"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class NewToken:
    """An API token that was just made. `text` is shown once and kept nowhere."""

    id: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ParsedToken:
    """What a well-formed API token says of itself; nothing of it is proven."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class PrincipalLimits:
    """How much a principal may ask for; None is without limit.

    The first two count per sliding minute, over all processes that share a store;
    `concurrent_requests` counts attempts that are under way.
    """

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent_requests: int | None = None


NO_LIMITS = PrincipalLimits()


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling. `kind` is that of the API token, or `bootstrap`.

    Attributes:
        direct_models: Allows to name `provider/model` past the routes.
        aliases: The only model names that it may send; None is every one.
        limits: How much it may ask for.
        networks: Whence it may call, as CIDR texts; None is everywhere.
        owner: A label for people; it grants nothing.
        tags: Labels by which money is summed and budgets are set.
        expires_at: When it ends, aware; None is never.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    kind: str
    direct_models: bool = False
    aliases: frozenset[str] | None = None
    limits: PrincipalLimits = NO_LIMITS
    networks: tuple[str, ...] | None = None
    owner: str = ""
    tags: tuple[str, ...] = ()
    expires_at: datetime | None = None

    def may(self, *any_of: Scope) -> bool:
        """Tell whether one of the scopes, or `ADMIN`, was given."""
        return Scope.ADMIN in self.scopes or not self.scopes.isdisjoint(any_of)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something, for the audit: never a secret.

    `principal_id` is `cli:NAME` for a user of the command line. `peer` is the
    address that it came from, empty for this machine.
    """

    principal_id: str
    peer: str = ""
    request_id: str = ""


BOOTSTRAP = Principal(
    "bootstrap", "bootstrap", frozenset(Scope), "bootstrap", direct_models=True
)


class BootstrapToken:
    """The API token from the settings: it opens everything and is never stored."""

    def __init__(self, text: str) -> None:
        """Keep a digest of the token, under a key that lives only in memory."""
        self._key = secrets.token_bytes(32)
        self._digest = token_digest(self._key, text)

    def principal_for(self, text: str) -> Principal | None:
        """Return the bootstrap principal when this is its API token, else None."""
        if len(text) > MAXIMUM_CHARACTERS:
            return None
        good = same_digest(self._digest, token_digest(self._key, text))
        return BOOTSTRAP if good else None


def make_token(kind: str, token_id: str | None = None) -> NewToken:
    """Return a fresh API token; `kind` is 1 to 12 lower-case letters.

    `token_id` is that of the principal who gets a new secret; a new one if omitted.
    """
    token_id = token_id or random_base62(ID_CHARACTERS)
    body = f"fllm_{kind}_{token_id}{random_base62(SECRET_CHARACTERS)}"
    return NewToken(token_id, body + _check_of(body))


def parse_token(text: str) -> ParsedToken | None:
    """Return what the API token says of itself, or None when it is malformed.

    Cheap for every input: no I/O, and a text that is too long is not read.
    """
    if len(text) > MAXIMUM_CHARACTERS:
        return None
    match = TOKEN_PATTERN.fullmatch(text)
    if match is None or _check_of(text[:-CHECK_CHARACTERS]) != match["check"]:
        return None
    return ParsedToken(match["kind"], match["id"])


def is_token_id(text: str) -> bool:
    """Tell whether the text may be the id of an API token."""
    return _SANE_ID.fullmatch(text) is not None


def token_digest(key: bytes, text: str) -> bytes:
    """Return the HMAC-SHA-256 of the token: 32 bytes, all that is stored of it."""
    # Lone surrogates may come from a decoded header; they must not raise.
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)


def same_digest(one: bytes, other: bytes) -> bool:
    """Compare in a time that does not depend on where the two differ."""
    return hmac.compare_digest(one, other)


def _check_of(body: str) -> str:
    return to_base62(zlib.crc32(body.encode("ascii")), CHECK_CHARACTERS)
