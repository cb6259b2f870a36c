"""What the address of a Redis must be. It is never shown: it may hold a password."""

from flaskllm.core.config_problems import wrong_value
from flaskllm.core.config_store_urls import query_fault, split_address

_FORMS = (
    "redis://:password@host:6379/0, rediss:// for TLS, or "
    "unix:///absolute/socket?db=0; in a password @ is %40, / is %2F"
)
_SCHEMES = ("redis", "rediss", "unix")
# What an operator may want besides; the time-outs are ours.
_QUERY_NAMES = frozenset({"db", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})


def check_redis_url(value: str) -> None:
    """Return when the address can be one of a Redis; else raise what is wrong.

    Raises:
        PydanticCustomError: As a validator of pydantic reports it.
    """
    found = _fault(value)
    if found:
        raise wrong_value(found, _FORMS)


def _fault(value: str) -> str:
    parts = split_address(value)
    if parts is None or parts.scheme not in _SCHEMES or "://" not in value:
        return "an address that is none of Redis"
    if any(not "!" <= sign <= "~" for sign in value) or "#" in value:
        return "an address with a #, a blank or a letter outside ASCII; write it as %23"
    if parts.scheme == "unix":
        is_whole = parts.path.startswith("/") and not parts.hostname
        return (
            query_fault(parts, _QUERY_NAMES)
            if is_whole
            else "a socket without its whole path"
        )
    if not parts.hostname:
        return "an address without a host"
    if not parts.path.strip("/").isdecimal() and parts.path not in ("", "/"):
        return "an address whose database is no number"
    return query_fault(parts, _QUERY_NAMES)
