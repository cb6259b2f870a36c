"""What API tokens are given, and that nobody gives more than they have. Pure."""

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from flaskllm.core.auth import Principal, Scope
from flaskllm.core.errors import Field, PermissionDenied
from flaskllm.core.money import dollars_of
from flaskllm.core.subjects import principal_of, tag_of
from flaskllm.llm.allowed import Allowed
from flaskllm.services.budget_grants import is_as_tight, leads_beyond
from flaskllm.storage.budgets import BudgetRow

LIMITS = ("requests_per_minute", "tokens_per_minute", "concurrent_requests")
"""The names of the three limits; each is a whole number, or None for no limit."""

_MOST_NAMED = 20

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Grant:
    """What an API token is given.

    Attributes:
        name: Tells people what it is for.
        scopes: One or more.
        expires_at: When it ends, aware; None is never.
        direct_models: Whether it may name `provider/model`, past the routes.
        aliases: The only model names that it may send; None is every one.
        requests_per_minute: None is without limit, as with the next two.
        tokens_per_minute: Those that its requests may use.
        concurrent_requests: Attempts that may be under way.
        networks: Whence it may call, as CIDR texts; None is everywhere.
        owner: A label for people; it grants nothing.
        tags: Labels by which money is summed and budgets are set.
    """

    name: str
    scopes: frozenset[Scope]
    expires_at: datetime | None = None
    direct_models: bool = False
    aliases: frozenset[str] | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent_requests: int | None = None
    networks: tuple[str, ...] | None = None
    owner: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Holding:
    """What somebody has in all: the grant, and the hard budgets that bind it.

    `budgets` are those of the principal itself and those of its tags; soft ones
    among them bind nobody.
    """

    grant: Grant
    budgets: tuple[BudgetRow, ...] = ()


def grant_of(principal: Principal) -> Grant:
    """Return what a principal was given."""
    limits = principal.limits
    return Grant(
        principal.name,
        principal.scopes,
        principal.expires_at,
        principal.direct_models,
        principal.aliases,
        limits.requests_per_minute,
        limits.tokens_per_minute,
        limits.concurrent_requests,
        principal.networks,
        principal.owner,
        principal.tags,
    )


def check_within(wanted: Holding, own: Holding, reason: str) -> None:
    """Return when `wanted` has nothing that `own` lacks.

    Args:
        wanted: What somebody is to have, or has.
        own: What the one has who gives it.
        reason: The sentence of the refusal.

    Raises:
        PermissionDenied: It has more; the fields name what, and what is allowed.
    """
    fields = excess(wanted, own)
    if fields:
        told = "; ".join(
            f"{each.path}: {each.problem}, allowed: {each.allowed}" for each in fields
        )
        raise PermissionDenied(reason, details=told, fields=fields)


def excess(wanted: Holding, own: Holding) -> tuple[Field, ...]:
    """Return each field in which `wanted` has more than `own`, and what is allowed.

    `own` never exceeds itself, and what exceeds nothing of another that exceeds
    nothing of a third exceeds nothing of the third.
    """
    found = [check(wanted.grant, own.grant) for check in _CHECKS]
    found += [
        _limit(name, getattr(wanted.grant, name), getattr(own.grant, name))
        for name in LIMITS
    ]
    found.append(_budgets(wanted, own) or _takeovers(wanted, own))
    return tuple(each for each in found if each is not None)


def _scopes(wanted: Grant, own: Grant) -> Field | None:
    if Scope.ADMIN in own.scopes or wanted.scopes <= own.scopes:
        return None
    more = wanted.scopes - own.scopes
    return Field("scopes", f"more than yours: {_list(more)}", _list(own.scopes))


def _direct_models(wanted: Grant, own: Grant) -> Field | None:
    if own.direct_models or not wanted.direct_models:
        return None
    return Field("direct_models", "more than yours: true", "false")


def _aliases(wanted: Grant, own: Grant) -> Field | None:
    if own.aliases is None:
        return None
    allowed = f"a part of {_list(own.aliases)}"
    if wanted.aliases is None:
        return Field("aliases", "more than yours: all", allowed)
    more = wanted.aliases - own.aliases
    if not more:
        return None
    return Field("aliases", f"more than yours: {_list(more)}", allowed)


def _networks(wanted: Grant, own: Grant) -> Field | None:
    if own.networks is None:
        return None
    allowed = f"a part of {_list(own.networks)}"
    if wanted.networks is None:
        return Field("networks", "more than yours: everywhere", allowed)
    # Neighbours become one: a network lies in their union or it does not.
    mine = _collapsed(own.networks)
    more = [each for each in wanted.networks if not _is_inside(each, mine)]
    if not more:
        return None
    return Field("networks", f"more than yours: {_list(more)}", allowed)


def _expires_at(wanted: Grant, own: Grant) -> Field | None:
    if own.expires_at is None:
        return None
    allowed = f"at the latest {own.expires_at.isoformat()}"
    if wanted.expires_at is None:
        return Field("expires_at", "later than yours: never", allowed)
    if wanted.expires_at <= own.expires_at:
        return None
    problem = f"later than yours: {wanted.expires_at.isoformat()}"
    return Field("expires_at", problem, allowed)


_CHECKS: tuple[Callable[[Grant, Grant], Field | None], ...] = (
    _scopes,
    _direct_models,
    _aliases,
    _networks,
    _expires_at,
)


def _limit(name: str, wanted: int | None, own: int | None) -> Field | None:
    if own is None or (wanted is not None and wanted <= own):
        return None
    found = "none" if wanted is None else str(wanted)
    return Field(name, f"more than yours: {found}", f"1 to {own}")


def _budgets(wanted: Holding, own: Holding) -> Field | None:
    binding = [each for each in wanted.budgets if each.kind == "hard"]
    loose = [
        each
        for each in own.budgets
        if each.kind == "hard"
        # Who carries a tag is bound by its budgets.
        and tag_of(each.subject) not in wanted.grant.tags
        and not any(
            other.period == each.period and is_as_tight(other, each)
            for other in binding
        )
    ]
    if not loose:
        return None
    allowed = "; ".join(_told(each) for each in loose[:_MOST_NAMED])
    return Field("budgets", "not bound by a hard budget that binds you", allowed)


def _takeovers(wanted: Holding, own: Holding) -> Field | None:
    """Tell of budgets that would lead to names which `own` cannot come to."""
    names = Allowed(own.grant.aliases)
    binding = [each for each in own.budgets if each.kind == "hard"]
    more = {
        str(each.on_exhausted)
        for each in wanted.budgets
        if each.kind == "hard" and leads_beyond(each, names, binding)
    }
    if not more:
        return None
    problem = f"on_exhausted leads to more than yours: {_list(more)}"
    return Field("budgets", problem, f"{_list(own.grant.aliases or ())}, or none")


def _told(budget: BudgetRow) -> str:
    dollars = dollars_of(budget.limit_nanos)
    told = f"a hard budget of at most {dollars} US dollars a {budget.period}"
    if budget.on_exhausted is not None:
        told += f" (on_exhausted: {budget.on_exhausted} or none)"
    is_own = principal_of(budget.subject) is not None
    return told if is_own else f"the tag {tag_of(budget.subject)}, or {told}"


def _collapsed(networks: Iterable[str]) -> list[Network]:
    parsed = [ipaddress.ip_network(each) for each in networks]
    fours = [each for each in parsed if isinstance(each, ipaddress.IPv4Network)]
    sixes = [each for each in parsed if isinstance(each, ipaddress.IPv6Network)]
    return [*ipaddress.collapse_addresses(fours), *ipaddress.collapse_addresses(sixes)]


def _is_inside(network: str, others: Iterable[Network]) -> bool:
    parsed = ipaddress.ip_network(network)
    # `subnet_of` takes two of one version only.
    return any(
        parsed.version == other.version and parsed.subnet_of(other)  # type: ignore[arg-type]
        for other in others
    )


def _list(names: Iterable[str]) -> str:
    every = sorted(names)
    told = ", ".join(every[:_MOST_NAMED]) or "none"
    return told if len(every) <= _MOST_NAMED else f"{told} ... ({len(every)} in all)"
