"""Which hosts are on this machine or in a private network, by their address alone."""

import ipaddress

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


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        if host.startswith("[") and host.endswith("]"):
            return _unwrapped(ipaddress.IPv6Address(host[1:-1]))
        return _unwrapped(ipaddress.ip_address(host))
    except ValueError:
        return None


def _unwrapped(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or address
    return address
