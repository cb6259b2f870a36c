"""Where an upstream is called, and with which credential: checks for every kind."""

from urllib.parse import urlsplit


def check_base_url(kind: str, given: str | None, default: str | None = None) -> str:
    """Return the base URL to call, without a slash at its end.

    Raises:
        ValueError: None was given and the kind has no default, or what was given
            is no plain http(s) address.
    """
    base_url = (given or default or "").strip().rstrip("/")
    if not base_url:
        raise ValueError(f"provider kind {kind!r} needs a base_url")
    complaint = _complaint(base_url)
    if complaint:
        raise ValueError(f"base_url {complaint}")
    return base_url


def check_credential(kind: str, api_key: str | None, *, needed: bool) -> str | None:
    """Return the credential if it can stand in a header.

    Raises:
        ValueError: It is missing where it is needed, or holds a space, a line
            break or a letter outside ASCII.
    """
    if not api_key:
        if needed:
            raise ValueError(f"provider kind {kind!r} needs an api_key")
        return None
    if not (api_key.isascii() and api_key.isprintable() and " " not in api_key):
        raise ValueError("api_key holds a space, a line break or a foreign letter")
    return api_key


def _complaint(base_url: str) -> str:
    """Return what is wrong with an address, never the address: it may hold a secret."""
    try:
        parts = urlsplit(base_url)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return "is not an address"
    if parts.scheme not in ("http", "https") or not has_host:
        return "must start with http:// or https:// and name a host"
    if "@" in parts.netloc:
        return "must not hold a password; set api_key"
    if parts.query or parts.fragment:
        return "must not hold a query or a fragment"
    return ""
