"""Why a callback did not go out, in words that are ours and never the receiver's."""

from collections.abc import Mapping
from enum import StrEnum


class Refusal(StrEnum):
    """Why a URL may not be called."""

    TOO_LONG = "url_too_long"
    CHARACTERS = "url_characters"
    MALFORMED = "url_malformed"
    SCHEME = "url_scheme"
    USER_INFO = "url_user_info"
    HOST = "url_host"
    HOST_NOT_ASCII = "url_host_not_ascii"
    PORT = "url_port"
    FRAGMENT = "url_fragment"
    BLOCKED = "blocked_destination"


class Failure(StrEnum):
    """Why a call that was allowed brought no status."""

    NAME_NOT_FOUND = "name_not_found"
    LOOK_UP_FAILED = "name_look_up_failed"
    CONNECTION = "connection_failed"
    PROXY = "proxy_refused"
    CERTIFICATE = "certificate_rejected"
    TLS = "tls_failed"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    BAD_REPLY = "bad_reply"


# What was found, and what would be accepted; both follow the name of a field.
_SENTENCES: Mapping[Refusal, tuple[str, str]] = {
    Refusal.TOO_LONG: ("the URL is too long", "at most 2048 characters"),
    Refusal.CHARACTERS: (
        "the URL holds white space, a backslash or another character that no URL has",
        "RFC 3986; any other character percent-encoded, as %20",
    ),
    Refusal.MALFORMED: ("this is no whole URL", "https://host/path"),
    Refusal.SCHEME: ("the URL does not begin with https://", "https"),
    Refusal.USER_INFO: (
        "the URL holds a user name or an @ before its host",
        "a URL without it; a secret belongs in the path or the query",
    ),
    Refusal.HOST: (
        "the URL's host is not written in the one usual form",
        "a name without a dot at its end, four decimal numbers, or an IPv6 address "
        "in brackets without a zone",
    ),
    Refusal.HOST_NOT_ASCII: (
        "the URL holds characters beyond ASCII",
        "a host in the form that begins with xn--; anything else percent-encoded",
    ),
    Refusal.PORT: ("the URL's port may not be called", "a port that is allowed"),
    Refusal.FRAGMENT: ("the URL has a fragment, which is never sent", "no #"),
    Refusal.BLOCKED: (
        "the URL leads to an address that may not be called",
        "a public address, or one in callbacks.allowed_networks",
    ),
}


class EgressRefused(Exception):
    """The URL may not be called. Asking again helps only once it leads elsewhere.

    Attributes:
        reason: One word, stable.
        problem: What was found, for people; it goes on after a field's name.
        allowed: What would be accepted.
    """

    def __init__(self, reason: Refusal, allowed: str = "") -> None:
        """Tell the reason; `allowed` replaces the usual words for the mend."""
        self.reason = reason
        self.problem, usual = _SENTENCES[reason]
        self.allowed = allowed or usual
        super().__init__(f"{self.problem}; allowed: {self.allowed}")


class EgressFailed(Exception):
    """The call was allowed and brought no status. It may succeed later.

    Attributes:
        reason: One word, stable.
    """

    def __init__(self, reason: Failure) -> None:
        """Tell the reason."""
        super().__init__(reason.value)
        self.reason = reason
