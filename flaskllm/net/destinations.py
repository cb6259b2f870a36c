"""Which addresses the gateway may be sent to by somebody who is not its operator.

The table is our own. The standard library's `is_global` calls public what leads
inside: NAT64 and 6to4 forms of a private address, `fec0::/10`, `192.0.0.192`,
Azure's `168.63.129.16`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_network,
)
from typing import TypeAlias

IPAddress: TypeAlias = IPv4Address | IPv6Address
IPNetwork: TypeAlias = IPv4Network | IPv6Network

# All that IANA has given out for single hosts of the internet. What lies outside
# needs no row below: ::1 and fe80::/10 (RFC 4291), fc00::/7 (RFC 4193), fec0::/10
# (RFC 3879), 100::/64 (RFC 6666), 5f00::/16 (RFC 9602), ff00::/8 (RFC 4291).
_GLOBAL_UNICAST = IPv6Network("2000::/3")  # RFC 4291, 2.4

_BLOCKED_IPV4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # RFC 791, 3.2: this network; many systems take it for loopback
        "10.0.0.0/8",  # RFC 1918
        "100.64.0.0/10",  # RFC 6598: shared by carriers; a cloud's metadata
        "127.0.0.0/8",  # RFC 1122, 3.2.1.3
        "168.63.129.16/32",  # public by its number, inside every machine at Azure
        "169.254.0.0/16",  # RFC 3927: link-local; most clouds' metadata
        "172.16.0.0/12",  # RFC 1918
        "192.0.0.0/24",  # RFC 6890; a cloud's metadata
        "192.0.2.0/24",  # RFC 5737: documentation
        "192.31.196.0/24",  # RFC 7535: anycast, the nearest one may be inside
        "192.52.193.0/24",  # RFC 7450: anycast
        "192.88.99.0/24",  # RFC 7526: anycast relays of 6to4
        "192.168.0.0/16",  # RFC 1918
        "192.175.48.0/24",  # RFC 7534: anycast
        "198.18.0.0/15",  # RFC 2544: benchmarks
        "198.51.100.0/24",  # RFC 5737
        "203.0.113.0/24",  # RFC 5737
        "224.0.0.0/4",  # RFC 5771: multicast
        "240.0.0.0/4",  # RFC 1112, 4: reserved; the last one is broadcast
    )
)
_BLOCKED_IPV6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # RFC 2928: protocols, such as Teredo, benchmarks and ORCHID
        "2001:db8::/32",  # RFC 3849: documentation
        "2620:4f:8000::/48",  # RFC 7534: anycast
        "3ffe::/16",  # RFC 3701: given back
        "3fff::/20",  # RFC 9637: documentation
    )
)


@dataclass(frozen=True, slots=True)
class _Wrapping:
    """IPv6 addresses that hold an IPv4 one.

    Attributes:
        network: Where they are.
        shift: How many bits are right of the IPv4 address.
        flips: What the IPv4 address was combined with by exclusive or.
        stands: Whether such an address is just as good as the one in it.
    """

    network: IPv6Network
    shift: int = 0
    flips: int = 0
    stands: bool = False

    def inner(self, address: IPv6Address) -> IPv4Address:
        """Return the IPv4 address in one of these."""
        return IPv4Address((int(address) >> self.shift & 0xFFFFFFFF) ^ self.flips)


_WRAPPINGS = (
    _Wrapping(IPv6Network("::ffff:0:0/96"), stands=True),  # RFC 4291, 2.5.5.2: mapped
    _Wrapping(IPv6Network("64:ff9b::/96"), stands=True),  # RFC 6052, 2.1: NAT64
    _Wrapping(IPv6Network("2002::/16"), shift=80, stands=True),  # RFC 3056: 6to4
    _Wrapping(IPv6Network("::ffff:0:0:0/96")),  # RFC 2765: translated
    _Wrapping(IPv6Network("64:ff9b:1::/48")),  # RFC 8215: NAT64 of one network
    # RFC 4380, 4: Teredo has its server, and its client in inverted bits.
    _Wrapping(IPv6Network("2001::/32"), shift=64),
    _Wrapping(IPv6Network("2001::/32"), flips=0xFFFFFFFF),
)
_COMPATIBLE = _Wrapping(IPv6Network("::/96"))  # RFC 4291, 2.5.5.1
_LOOPBACK = 1  # ::1, and :: before it, are in that network and are none of those
_BEHIND_ISATAP = _Wrapping(IPv6Network("::/0"))
_ISATAP = (0x00005EFE, 0x02005EFE)  # RFC 5214, 6.1: what stands before the IPv4 address


class Destinations:
    """Public addresses, and those that the operator lets in besides."""

    def __init__(self, allowed_networks: Iterable[str] = ()) -> None:
        """Keep the networks that are allowed though they are not public.

        Raises:
            ValueError: One is no network.
        """
        self._allowed: Sequence[IPNetwork] = tuple(map(ip_network, allowed_networks))

    def may_be_called(self, address: IPAddress) -> bool:
        """Tell whether a connection to this address is allowed.

        It is when each of `judged` is public or in an allowed network.
        """
        return all(
            is_public(each) or any(each in network for network in self._allowed)
            for each in judged(address)
        )


def is_public(address: IPAddress) -> bool:
    """Tell whether this address, as it stands, is one host of the public internet."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _BLOCKED_IPV4)
    return address in _GLOBAL_UNICAST and not any(
        address in network for network in _BLOCKED_IPV6
    )


def judged(address: IPAddress) -> Iterator[IPAddress]:
    """Yield all addresses that have to be good for this one to be.

    That is the address itself and every IPv4 address in it. One that only stands
    for another (mapped, NAT64, 6to4) is as good as that: `::ffff:10.0.0.1` yields
    10.0.0.1 alone.
    """
    if isinstance(address, IPv4Address):
        yield address
        return
    wrappings = list(_wrappings(address))
    if not any(each.stands for each in wrappings):
        yield address
    for each in wrappings:
        yield each.inner(address)


def _wrappings(address: IPv6Address) -> Iterator[_Wrapping]:
    yield from (each for each in _WRAPPINGS if address in each.network)
    if int(address) > _LOOPBACK and address in _COMPATIBLE.network:
        yield _COMPATIBLE
    if int(address) >> 32 & 0xFFFFFFFF in _ISATAP:
        yield _BEHIND_ISATAP
