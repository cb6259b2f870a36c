"""How traffic and money are shared among deployments, and what routing saved.

What is counted is exact. What the same tokens would have cost elsewhere is an
estimate: another model may count them otherwise, and would have answered otherwise.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from flaskllm.core.auth import Principal
from flaskllm.llm.prices import price_from
from flaskllm.llm.terms import Price
from flaskllm.services.usage_reports import Span, UsageQueries, Wanted
from flaskllm.services.usage_sums import Sums, total_of
from flaskllm.storage.rollup_reports import KeySums, RollupReports


@dataclass(frozen=True, slots=True)
class Share:
    """One deployment under one alias.

    Attributes:
        alias: Under which it was asked.
        deployment: Its name.
        sums: What it used; `key` is its name.
        is_cheaper: Whether it costs less than the dearest one that was asked under
            the same alias, for the same tokens at list prices; None where its price
            or that of all others is not known.
        at_dearest_nanos: What its tokens would have cost at that one: an estimate.
            None where no price is known.
    """

    alias: str
    deployment: str
    sums: Sums
    is_cheaper: bool | None
    at_dearest_nanos: int | None

    @property
    def answered(self) -> int:
        """Return how many attempts it answered; the cache asked it for none."""
        return self.sums.answers - self.sums.cache_hits

    @property
    def tokens(self) -> int:
        """Return all tokens, in and out."""
        return self.sums.tokens_input + self.sums.tokens_output

    @property
    def saved_nanos(self) -> int | None:
        """Return what was saved against the dearest one: an estimate."""
        if self.at_dearest_nanos is None:
            return None
        return self.at_dearest_nanos - self.sums.cost_nanos


@dataclass(frozen=True, slots=True)
class Part:
    """How much of everything: shares of 0 to 1; None where there is nothing."""

    answered: float | None
    tokens: float | None
    cost: float | None


@dataclass(frozen=True, slots=True)
class Shares:
    """How a span is shared among deployments; what is used most stands first.

    `cheaper` is the part of those that are cheaper than the dearest of their alias.
    """

    span: Span
    time_zone: str
    total: Sums
    cheaper: Part
    at_dearest_nanos: int
    saved_nanos: int
    shares: tuple[Share, ...]

    def part_of(self, *some: Share) -> Part:
        """Return the part that these are of all."""
        everything = self.shares
        return Part(
            _ratio(_answered(some), _answered(everything)),
            _ratio(_tokens(some), _tokens(everything)),
            _ratio(_cost(some), _cost(everything)),
        )


class UsageShares:
    """Tells how usage is shared. Who is no admin sees their own."""

    def __init__(self, queries: UsageQueries, rollups: RollupReports) -> None:
        """Keep the collaborators: who may see what, and the sums."""
        self._queries = queries
        self._rollups = rollups

    def of(self, wanted: Wanted, viewer: Principal | None) -> Shares:
        """Return the shares of what is wanted.

        Args:
            wanted: What is asked for; its outcome is not looked at.
            viewer: Who asks; None is the operator, who sees all.

        Raises:
            InvalidInputError: A day is not one of 1970 to 9998.
            NotFound: Another principal was asked for by who is no admin.
            ServiceUnavailable: The database cannot be read.
        """
        span = wanted.span or self._queries.span()
        only = self._queries.rollup_filter(wanted, viewer)
        by_alias: dict[str, list[KeySums]] = defaultdict(list)
        for each in self._rollups.by_key(only):
            by_alias[each.alias].append(each)
        found = [share for each in by_alias.values() for share in _shares_of(each)]
        found.sort(key=lambda each: (-each.answered, each.alias, each.deployment))
        return _summed_up(span, self._queries.zone.key, tuple(found))


def _summed_up(span: Span, zone: str, shares: tuple[Share, ...]) -> Shares:
    total = Sums("", *total_of(each.sums.parts for each in shares))
    estimated = [each for each in shares if each.at_dearest_nanos is not None]
    found = Shares(
        span,
        zone,
        total,
        Part(None, None, None),
        sum(each.at_dearest_nanos or 0 for each in estimated),
        sum(each.saved_nanos or 0 for each in estimated),
        shares,
    )
    cheaper = found.part_of(*(each for each in shares if each.is_cheaper))
    return replace(found, cheaper=cheaper)


def _shares_of(found: Sequence[KeySums]) -> Iterator[Share]:
    """Yield the shares of the deployments of one alias."""
    by_deployment: dict[str, list[KeySums]] = defaultdict(list)
    for each in found:
        by_deployment[each.deployment].append(each)
    tokens = _tokens_of(found)
    # Of a deployment whose price has changed, the dearest terms that it had.
    terms = {
        name: max(prices, key=lambda price: _listed(price, *tokens))
        for name, rows in by_deployment.items()
        if (prices := [price for each in rows if (price := _price(each.price))])
    }
    costs = {name: _listed(price, *tokens) for name, price in terms.items()}
    dearest = max(costs, key=lambda name: (costs[name], name), default=None)
    for name, rows in by_deployment.items():
        sums = Sums(name, *total_of(each.sums for each in rows))
        if not sums.attempts:
            continue
        if dearest is None or name not in costs:
            yield Share(rows[0].alias, name, sums, None, None)
            continue
        at_dearest = sum(_estimate(each, terms[dearest]) for each in rows)
        if name == dearest:
            at_dearest = sums.cost_nanos
        is_cheaper = costs[name] < costs[dearest]
        yield Share(rows[0].alias, name, sums, is_cheaper, at_dearest)


def _estimate(row: KeySums, dearest: Price) -> int:
    """Return what a row's tokens would have cost at other terms.

    What it did cost, in the proportion of the list prices: so input that was cached is
    taken to be as much cheaper there as it was here. What was free is taken at the
    list price of all its tokens, and what has no price is left as it is.
    """
    cost_nanos, own = Sums("", *row.sums).cost_nanos, _price(row.price)
    if own is None:
        return cost_nanos
    tokens = _tokens_of([row])
    here, there = _listed(own, *tokens), _listed(dearest, *tokens)
    return cost_nanos * there // here if here else there


def _listed(price: Price, tokens_input: int, tokens_output: int) -> int:
    """Return what tokens cost at the list price of a short input, in nano-dollars."""
    return (tokens_input * price.input + tokens_output * price.output) // 1_000_000


@lru_cache(maxsize=1024)
def _price(text: str) -> Price | None:
    return price_from(json.loads(text)) if text else None


def _tokens_of(rows: Iterable[KeySums]) -> tuple[int, int]:
    total = Sums("", *total_of(each.sums for each in rows))
    return total.tokens_input, total.tokens_output


def _answered(shares: Iterable[Share]) -> int:
    return sum(each.answered for each in shares)


def _tokens(shares: Iterable[Share]) -> int:
    return sum(each.tokens for each in shares)


def _cost(shares: Iterable[Share]) -> int:
    return sum(each.sums.cost_nanos for each in shares)


def _ratio(some: int, everything: int) -> float | None:
    return some / everything if everything else None
