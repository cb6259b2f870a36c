"""Whether what an API token is to be given makes sense. Pure."""

import ipaddress
from dataclasses import replace
from datetime import UTC, datetime

from flaskllm.core.auth import Scope
from flaskllm.core.errors import InvalidInputError
from flaskllm.core.subjects import TAG_RULE, is_tag
from flaskllm.services.grants import LIMITS, Grant

LONGEST_NAME = 100
LONGEST_OWNER = 100
LONGEST_ALIAS = 200
MOST_ALIASES = 100
MOST_NETWORKS = 50
MOST_TAGS = 20
LARGEST_LIMIT = 10_000_000

_NETWORK_RULE = "an address or a network, such as 192.0.2.7 or 2001:db8::/32"
# `::ffff:0:0/96`, RFC 4291, 2.5.5.2: an IPv4 address is in the last 32 bits.
_MAPPED_BITS = 96


def check_grant(grant: Grant, now: datetime, before: Grant | None = None) -> Grant:
    """Return the grant in its one form: networks as CIDRs, nothing given twice.

    Args:
        grant: What is wanted.
        now: Aware; a time of expiry that is new must be later.
        before: What the API token has so far; None for a new one.

    Raises:
        InvalidInputError: A field makes no sense; it is named, with the mend.
    """
    _check_text("name", grant.name, LONGEST_NAME)
    if grant.owner:
        _check_text("owner", grant.owner, LONGEST_OWNER)
    if not grant.scopes:
        raise InvalidInputError.of("scopes", "none given", ", ".join(Scope))
    expires_at = grant.expires_at
    if before is None or expires_at != before.expires_at:
        expires_at = _checked_expiry(expires_at, now)
    for name in LIMITS:
        _check_limit(name, getattr(grant, name))
    return replace(
        grant,
        expires_at=expires_at,
        aliases=_checked_aliases(grant.aliases),
        networks=_checked_networks(grant.networks),
        tags=_checked_tags(grant.tags),
    )


def _check_text(path: str, text: str, longest: int) -> None:
    # They go to terminals and logs: no line breaks, no escape sequences.
    if not text.strip() or not text.isprintable():
        allowed = "printable characters, not all of them spaces"
        raise InvalidInputError.of(path, "not readable", allowed)
    if len(text) > longest:
        allowed = f"at most {longest} characters"
        raise InvalidInputError.of(path, f"{len(text)} characters", allowed)


def _checked_expiry(expires_at: datetime | None, now: datetime) -> datetime | None:
    if expires_at is None:
        return None
    if expires_at.tzinfo is None:
        allowed = "a time with an offset, such as 2030-01-31T00:00:00Z"
        raise InvalidInputError.of("expires_at", "no offset from UTC", allowed)
    if expires_at <= now:
        problem = f"{expires_at.isoformat()} has passed"
        allowed = "a time in the future; to end it now, revoke it"
        raise InvalidInputError.of("expires_at", problem, allowed)
    try:
        return expires_at.astimezone(UTC)
    except OverflowError as error:
        problem = "after the year 9999 in UTC"
        raise InvalidInputError.of("expires_at", problem, "sooner, or never") from error


def _check_limit(path: str, limit: int | None) -> None:
    if limit is not None and not 1 <= limit <= LARGEST_LIMIT:
        allowed = f"1 to {LARGEST_LIMIT}, or none at all"
        raise InvalidInputError.of(path, str(limit), allowed)


def _checked_aliases(aliases: frozenset[str] | None) -> frozenset[str] | None:
    if aliases is None:
        return None
    _check_count("aliases", len(aliases), 1, MOST_ALIASES)
    for alias in sorted(aliases):
        _check_text("aliases", alias, LONGEST_ALIAS)
    return aliases


def _checked_networks(networks: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if networks is None:
        return None
    _check_count("networks", len(networks), 1, MOST_NETWORKS)
    return tuple(dict.fromkeys(_network(each) for each in networks))


def _checked_tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    _check_count("tags", len(tags), 0, MOST_TAGS)
    for tag in tags:
        if not is_tag(tag):
            raise InvalidInputError.of("tags", f"{tag[:40]!r} is no tag", TAG_RULE)
    return tuple(dict.fromkeys(tags))


def _check_count(path: str, count: int, fewest: int, most: int) -> None:
    if not fewest <= count <= most:
        raise InvalidInputError.of(path, f"{count} of them", f"{fewest} to {most}")


def _network(text: str) -> str:
    """Return a network in its one form; an IPv4 one inside IPv6 as itself."""
    try:
        loose = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        problem = f"{text[:50]!r} is no network"
        raise InvalidInputError.of("networks", problem, _NETWORK_RULE) from error
    if not _is_exact(text, loose):
        # Whoever writes 10.1.2.3/8 may well mean that one address.
        problem = f"{text[:50]!r} has bits behind its prefix"
        raise InvalidInputError.of("networks", problem, str(loose))
    return str(_unmapped(loose))


def _is_exact(text: str, loose: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    return ipaddress.ip_interface(text).ip == loose.network_address


def _unmapped(
    network: ipaddress.IPv4Network | ipaddress.IPv6Network,
) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    if network.version == 4 or network.prefixlen < _MAPPED_BITS:
        return network
    inner = network.network_address.ipv4_mapped
    if inner is None:
        return network
    return ipaddress.IPv4Network((inner, network.prefixlen - _MAPPED_BITS))
