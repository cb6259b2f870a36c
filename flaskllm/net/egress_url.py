r"""The one reader of URLs that somebody else wrote: a small grammar, and no mercy.

Two readers of one odd URL disagree about its host: for `http://127.0.0.1\@good/`
one says `good`, another connects to 127.0.0.1. So what is odd is refused, and what
is sent is made anew from the parts that were read here.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from flaskllm.net.destinations import IPAddress
from flaskllm.net.egress_errors import EgressRefused, Refusal

MOST_CHARACTERS = 2048
USUAL_PORTS = {"http": 80, "https": 443}

_LONGEST_NAME = 253  # RFC 1035, 2.3.4, as text
_MOST_PORTS = 65535

# RFC 3986, 2: every character that a URL may have, and % only before two digits.
_CHARACTERS = re.compile(
    r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*",
)
_PARTS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?")
_PLACE = re.compile(r"(?:\[([^\[\]]*)\]|([^:\[\]]*))(?::(.*))?")
_TARGET = re.compile(r"[^\[\]]*")  # brackets belong to a host alone
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# What the C library reads as the last part of an IPv4 address: 127.1, 0x7f.1 ...
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


@dataclass(frozen=True, slots=True)
class CalledUrl:
    """A URL in its parts. Its text form leaves out what may hold a secret.

    Attributes:
        scheme: `http` or `https`.
        host: A name in lower case, or an address in its usual form, no brackets.
        address: The address when the host is one.
        port: As given, or the scheme's usual one.
        target: The path and the query as given; the path is never empty.
    """

    scheme: str
    host: str
    address: IPAddress | None
    port: int
    target: str = field(repr=False)

    @property
    def authority(self) -> str:
        """Return what the header Host says: the port only when it is not the usual."""
        host = self.bracketed_host
        return host if self.port == USUAL_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def bracketed_host(self) -> str:
        """Return the host as a URL has it."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def text(self) -> str:
        """Return the URL, made from its parts."""
        return f"{self.scheme}://{self.authority}{self.target}"


def parse(text: str, schemes: Collection[str] = USUAL_PORTS.keys()) -> CalledUrl:
    """Return the parts of a URL for http or https.

    Args:
        text: The URL.
        schemes: Those of the two that may be used; told before all that follows it.

    Raises:
        EgressRefused: It is not one that every reader takes for the same.
    """
    _check_characters(text)
    parts = _PARTS.fullmatch(text)
    if parts is None:
        raise EgressRefused(Refusal.MALFORMED)
    scheme, place, path, query, fragment = parts.groups(default="")
    scheme = scheme.lower()
    if scheme not in schemes:
        raise EgressRefused(Refusal.SCHEME)
    if fragment:
        raise EgressRefused(Refusal.FRAGMENT)
    target = (path or "/") + query
    if not _TARGET.fullmatch(target):
        raise EgressRefused(Refusal.CHARACTERS)
    host, address, port = _read_place(place)
    return CalledUrl(scheme, host, address, port or USUAL_PORTS[scheme], target)


def _check_characters(text: str) -> None:
    if len(text) > MOST_CHARACTERS:
        raise EgressRefused(Refusal.TOO_LONG)
    if not text.isascii():
        raise EgressRefused(Refusal.HOST_NOT_ASCII)
    if not _CHARACTERS.fullmatch(text):
        raise EgressRefused(Refusal.CHARACTERS)


def _read_place(place: str) -> tuple[str, IPAddress | None, int | None]:
    """Return host, address and port of what stands between `//` and the path."""
    if "@" in place:
        raise EgressRefused(Refusal.USER_INFO)
    parts = _PLACE.fullmatch(place)
    if parts is None:
        raise EgressRefused(Refusal.HOST)
    in_brackets, name, port = parts.groups()
    number = None if port is None else _read_port(port)
    if name is None:
        address: IPAddress | None = _read_ipv6(in_brackets)
        return str(address), address, number
    name = name.lower()
    address = _read_name(name)
    return name, address, number


def _read_port(text: str) -> int:
    if not _PORT.fullmatch(text) or int(text) > _MOST_PORTS:
        raise EgressRefused(Refusal.PORT)
    return int(text)


def _read_ipv6(text: str) -> IPv6Address:
    if "%" in text:  # a zone names an interface of this machine
        raise EgressRefused(Refusal.HOST)
    try:
        return IPv6Address(text)
    except AddressValueError as error:
        raise EgressRefused(Refusal.HOST) from error


def _read_name(name: str) -> IPv4Address | None:
    """Return the IPv4 address that a host of labels is, or None for a name."""
    labels = name.split(".")
    if len(name) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)):
        raise EgressRefused(Refusal.HOST)
    if labels[-1] == "localhost":  # RFC 6761, 6.3: it and all below it are loopback
        raise EgressRefused(Refusal.BLOCKED)
    if not _NUMBER.fullmatch(labels[-1]):
        return None
    try:
        return IPv4Address(name)  # decimal, four parts, no zeros in front
    except AddressValueError as error:
        raise EgressRefused(Refusal.HOST) from error
