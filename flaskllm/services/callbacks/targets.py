"""Where an endpoint leads: a URL or a mail address; pure.

The paths and queries of many receivers are secrets. Only the host is ever logged.
"""

import re
from dataclasses import dataclass
from typing import Final

from flaskllm.core.errors import InvalidInputError
from flaskllm.net.egress_errors import EgressRefused
from flaskllm.net.egress_url import parse

MAIL: Final = "email"
"""The rendering that goes to a mail address; all others go to a URL."""

LONGEST_ADDRESS: Final = 254
_LONGEST_LOCAL_PART = 64

# RFC 5322, 3.4.1, without quotes and comments: what every mail server takes.
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}"
    r"[A-Za-z0-9]"
)


EVERYBODY: Final = "*"


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who may get mail: domains and addresses in lower case; `*` is everybody.

    A domain stands for itself, not for those below it.
    """

    allowed: frozenset[str]

    def allow(self, address: str) -> bool:
        """Tell whether mail may go to an address."""
        known = address.lower()
        names = {EVERYBODY, known, known.rpartition("@")[2]}
        return not names.isdisjoint(self.allowed)


def host_of(target: bytes | None, rendering: str) -> str:
    """Return the host of a URL or of a mail address, '' where there is none."""
    if target is None:
        return ""
    text = target.decode()
    if rendering == MAIL:
        return text.rpartition("@")[2]
    try:
        return parse(text).host
    except EgressRefused:
        return ""


def check_mail_address(text: str, path: str = "email") -> str:
    """Return a mail address that every mail server takes.

    Raises:
        InvalidInputError: It is none; the field `path` is named.
    """
    local_part = text.partition("@")[0]
    is_short = len(text) <= LONGEST_ADDRESS and len(local_part) <= _LONGEST_LOCAL_PART
    if not is_short or _ADDRESS.fullmatch(text) is None:
        allowed = "one address in ASCII, such as team@example.org"
        raise InvalidInputError.of(path, "is no mail address", allowed)
    return text
