"""What the address of a database must be. It is never shown: it holds a password."""

import re
from collections.abc import Iterator, Mapping

from pydantic import SecretStr

from flaskllm.core.config_problems import Problem, wrong_value
from flaskllm.core.config_store_urls import query_fault, split_address
from flaskllm.core.config_strength import MAKE_A_SECRET

POSTGRES_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")

_SQLITE_FORMS = (
    "sqlite:////absolute/file, sqlite:///relative/file or sqlite:// (memory)"
)
_POSTGRES_FORM = "postgresql://user:password@host:5432/name"
_FORMS = f"{_SQLITE_FORMS}; {_POSTGRES_FORM}"
_POSTGRES_FORMS = f"{_POSTGRES_FORM}; in a password @ is %40, / is %2F"
# What libpq takes and an operator may want; the rest we set ourselves.
_QUERY_NAMES = (
    "application_name",
    "channel_binding",
    "connect_timeout",
    "gssencmode",
    "host",
    "options",
    "passfile",
    "port",
    "sslcert",
    "sslcrl",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
)


def check_database_url(value: str) -> None:
    """Return when the address can be one of a database; else raise what is wrong.

    Raises:
        PydanticCustomError: As a validator of pydantic reports it.
    """
    scheme, _, rest = value.partition("://")
    if "://" in value and scheme == "sqlite":
        found = _sqlite_fault(rest)
        forms = _SQLITE_FORMS
    elif "://" in value and scheme in POSTGRES_SCHEMES:
        found = _postgres_fault(value)
        forms = _POSTGRES_FORMS
    else:
        found, forms = "an address that is of neither SQLite nor PostgreSQL", _FORMS
    if found:
        raise wrong_value(found, forms)


def is_postgres(value: object) -> bool:
    """Tell whether this is the address of a PostgreSQL database."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    return isinstance(text, str) and text.partition("://")[0] in POSTGRES_SCHEMES


def check_shared_secret(tree: Mapping[str, object]) -> Iterator[Problem]:
    """Yield what is wrong when hosts share a database but not the master secret."""
    if is_postgres(tree.get("database_url")) and tree.get("secret") is None:
        allowed = (
            "the same text on every host that shares the database, as FLASKLLM_SECRET;"
            f" make it with\n    {MAKE_A_SECRET}"
        )
        yield Problem("secret", "nothing", allowed, check="secrets")


def _sqlite_fault(rest: str) -> str:
    if "?" in rest:
        return "an address with a query; leave it out"
    if rest and not rest.startswith("/"):
        return "an address with a host; a path begins after three slashes"
    return ""


def _postgres_fault(value: str) -> str:
    if any(not "!" <= sign <= "~" for sign in value):
        return "an address with a blank or a letter outside ASCII; write them as %20"
    if "#" in value:
        return "an address with a #; write it as %23"
    parts = split_address(value)
    if parts is None:
        return "an address whose host or port cannot be read"
    if not re.fullmatch(r"/[^/]+", parts.path):
        return "an address without the name of one database"
    return query_fault(parts, _QUERY_NAMES)
