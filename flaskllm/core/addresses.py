"""Which hosts are on this machine or in a private network, by their address alone."""

import ipaddress
import socket

# The standard library's `is_private` is far wider: it holds link-local
# addresses, where clouds keep their metadata services, and documentation ones.
_LOCAL_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8",  # RFC 1122, 3.2.1.3
        "10.0.0.0/8",  # RFC 1918
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",  # RFC 4291, 2.5.3
        "fc00::/7",  # RFC 4193
    )
)

# The IPv4 address is in the last 32 bits.
_WITH_IPV4_AT_THE_END = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "::/96",  # RFC 4291, 2.5.5.1
        "64:ff9b::/96",  # RFC 6052, 2.1
    )
)
# Global by its number, yet it is the inside of every machine at Azure.
_AZURE_HOST = ipaddress.IPv4Address("168.63.129.16")

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_local(host: str) -> bool:
    """Tell whether `host` is loopback or in a private network.

    Only `localhost` and literal addresses can be, IPv6 with or without
    brackets: a name says nothing about where it leads, and shorthands such as
    `127.1` or `0x7f.1` are read differently by different parsers. Link-local
    addresses are not local. An IPv4 address inside an IPv6 one counts as itself.
    """
    if host.lower() == "localhost":
        return True
    address = _address(host)
    return any(address in network for network in _LOCAL_NETWORKS if address)


def is_public(host: str) -> bool:
    """Tell whether `host` may be on the public internet.

    Every name may be, but for `localhost` and those below it: where it leads is not
    looked up. An address must be global as IANA has it, also one inside an IPv6
    address, and one in a shorthand such as `127.1`, which some parsers take.
    """
    name = host.lower().rstrip(".")
    if not name or "%" in name or name.rpartition(".")[2] == "localhost":
        return False
    address = _address(name) or _shorthand(name)
    return address is None or _is_global(address)


def _is_global(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = _inner(address)
        if inner is not None:
            return _is_global(inner)
        if address.is_site_local:
            return False
    is_for_one_host = address.is_global and not address.is_multicast
    return is_for_one_host and address != _AZURE_HOST


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address to which this IPv6 one leads, where there is one."""
    if any(address in network for network in _WITH_IPV4_AT_THE_END):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour


def _shorthand(host: str) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that the C library reads in hex, octal or few parts."""
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeEncodeError):
        return None


def _address(host: str) -> _Address | None:
    try:
        if host.startswith("[") and host.endswith("]"):
            return _unwrapped(ipaddress.IPv6Address(host[1:-1]))
        return _unwrapped(ipaddress.ip_address(host))
    except ValueError:
        return None


def _unwrapped(address: _Address) -> _Address:
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or address
    return address
