"""What an address of an upstream in the settings must be."""

from urllib.parse import SplitResult, urlsplit

from flaskllm.core.config_problems import wrong_value


def check_base_url(value: str) -> str:
    """Return the address of an upstream when it is plain; else raise what is wrong.

    It is never shown: an address may carry a password.
    """
    found = url_fault(value)
    if found:
        raise wrong_value(found, "http:// or https://, a host, a port, a path")
    return value


def url_fault(value: str) -> str:
    """Return what keeps the address from being that of an upstream, or ''."""
    if any(not "!" <= sign <= "~" or sign == "\\" for sign in value):
        return "an address with a blank, a backslash or a letter outside ASCII"
    parts = _split(value)
    if parts is None:
        return "an address whose host or port cannot be read"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "no address of a web server"
    if "@" in parts.netloc:
        return "an address with user information; use api_key"
    if "?" in value or "#" in value:
        return "an address with a query or a fragment"
    return ""


def _split(value: str) -> SplitResult | None:
    try:
        parts = urlsplit(value)
        _ = parts.port  # read here, because a bad port only shows when it is read
    except ValueError:
        return None
    return parts
