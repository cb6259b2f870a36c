"""Whence a request comes, and who may come from there."""

import ipaddress
import logging
from functools import lru_cache
from typing import TypeAlias

from flask import request

from flaskllm.core import logs
from flaskllm.core.auth import Principal
from flaskllm.core.errors import PermissionDenied

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")  # IPv4 within IPv6: RFC 4291, 2.5.5.2

_FOREIGN_ADDRESS = (
    "This API token may not be used from the address that this request came from. "
    "Behind a proxy that address is read from X-Forwarded-For, and server.proxy_hops "
    "says of how many proxies it is believed."
)
_log = logging.getLogger(__name__)


@lru_cache(maxsize=1024)
def peer_of(address: str | None) -> str:
    """Return what is counted as one peer.

    An IPv6 host owns a whole /64 and could change its address with every guess.
    """
    ip = _parsed(address)
    if ip is None:
        return address or "-"
    if ip.version == 4:
        return str(ip)
    return str(ipaddress.ip_network((ip, 64), strict=False))


@lru_cache(maxsize=4096)
def is_within(address: str | None, networks: tuple[str, ...]) -> bool:
    """Tell whether a peer's address lies in one of the networks.

    Without an address, as on a Unix socket, it lies in none.

    Args:
        address: As the server, or the trusted proxy before it, tells it.
        networks: CIDR texts of IPv4 and IPv6.

    Raises:
        ValueError: One of the networks cannot be read.
    """
    ip = _parsed(address)
    return ip is not None and any(ip in each for each in _read_networks(networks))


def check_address(principal: Principal) -> None:
    """Return when this principal may call from where this request came from."""
    networks = principal.networks
    if networks is None or is_within(request.remote_addr, networks):
        return
    logs.event(
        _log,
        logging.WARNING,
        "address_refused",
        peer=request.remote_addr,
        api_token_id=principal.id,
    )
    raise PermissionDenied(details=_FOREIGN_ADDRESS)


@lru_cache(maxsize=1024)
def _read_networks(networks: tuple[str, ...]) -> tuple[_Network, ...]:
    return tuple(map(_read_network, networks))


def _read_network(text: str) -> _Network:
    network = ipaddress.ip_network(text, strict=False)
    if network.version == 4 or not network.subnet_of(_MAPPED):
        return network
    inner = network.network_address.ipv4_mapped
    return ipaddress.ip_network(f"{inner}/{network.prefixlen - _MAPPED.prefixlen}")


def _parsed(address: str | None) -> _Address | None:
    """Return the address without its zone, IPv4 for what is only wrapped in IPv6."""
    try:
        ip = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if ip.version == 6 else ip
