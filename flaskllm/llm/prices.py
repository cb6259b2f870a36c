"""What an attempt costs, in whole nano-dollars: a billionth of a US dollar.

`prices.json` holds the list prices of well-known models on the day that it names,
those announced by then, and what they leave out. A model that it does not hold has no
price: None, never 0.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from importlib import resources
from typing import Any

from flaskllm.llm.terms import Price, Tier
from flaskllm.llm.types import CompletionRequest, Deployment, EmbeddingRequest, Usage

_PER_TOKENS = 1_000_000
_PLAIN = ("input", "output", "cache_read", "cache_write", "reasoning")

# An answer to a chat is some three hundred words, where nobody caps it lower.
_USUAL_OUTPUT_TOKENS = 400

# `gpt-4o-2024-08-06`, `claude-haiku-4-5-20251001`, `grok-4.3-latest`. A shorter date
# (`mistral-large-2407`) is a version of its own, with a price of its own.
_SUFFIX = re.compile(r"-(latest|20\d\d-\d\d-\d\d|20\d{6})\Z")


def price_of(deployment: Deployment, day: date | None = None) -> Price | None:
    """Return the deployment's own price, else the list price, else None.

    The list is asked by the provider's kind and the model's name, whatever its case:
    first as it is, then without a full date or `-latest` at its end. Kinds that are
    not in the list, as local servers are, have no price but their own.

    Args:
        deployment: Whose.
        day: On which it holds: a list price may change on a day; today when omitted.
    """
    if deployment.price is not None:
        return deployment.price
    return _listed(deployment.kind, deployment.model, day or date.today())


@dataclass(frozen=True, slots=True)
class PriceLine:
    """So many tokens of one kind, and nano-dollars for a million of them.

    `kind` is the name of the count in `Usage`.
    """

    kind: str
    tokens: int
    price: int


def price_lines(price: Price, usage: Usage) -> tuple[PriceLine, ...]:
    """Return what an attempt is charged for, kind by kind; those it used only."""
    terms = price.at(usage.tokens_input)
    read = terms.input if terms.cache_read is None else terms.cache_read
    write = terms.input if terms.cache_write is None else terms.cache_write
    thought = terms.output if terms.reasoning is None else terms.reasoning
    lines = (
        PriceLine("input_uncached", usage.input_uncached, terms.input),
        PriceLine("input_cache_read", usage.input_cache_read, read),
        PriceLine("input_cache_write", usage.input_cache_write, write),
        PriceLine("output_text", usage.output_text, terms.output),
        PriceLine("output_reasoning", usage.output_reasoning, thought),
    )
    return tuple(line for line in lines if line.tokens)


def cost_nanos(price: Price, usage: Usage) -> int:
    """Return what these tokens cost in nano-dollars.

    The sum of ``tokens * price / 1,000,000`` over the lines of `price_lines`;
    rounded once, half to even.
    """
    return _rounded(sum(line.tokens * line.price for line in price_lines(price, usage)))


def expected_cost_nanos(price: Price, tokens_input: int, tokens_output: int) -> int:
    """Return what a request is likely to cost, in nano-dollars; nothing is cached."""
    terms = price.at(tokens_input)
    return _cost_at(terms, terms.input, tokens_input, tokens_output)


def most_cost_nanos(price: Price, tokens_input: int, tokens_output: int) -> int:
    """Return the most that so many tokens may cost, in nano-dollars.

    All of the input is kept for later, where that costs more than other input.
    """
    terms = price.at(tokens_input)
    dearest = max(terms.input, terms.cache_write or 0)
    return _cost_at(terms, dearest, tokens_input, tokens_output)


def _cost_at(
    terms: Price, input_price: int, tokens_input: int, tokens_output: int
) -> int:
    dearest = max(terms.output, terms.reasoning or 0)
    return _rounded(tokens_input * input_price + tokens_output * dearest)


def expected_output_tokens(
    request: CompletionRequest | EmbeddingRequest, deployment: Deployment
) -> int:
    """Return how many tokens an answer is supposed to have, before it is there.

    ``min(the caller's cap, the deployment's cap, 400)`` for each answer that is
    asked for, and none for vectors. It compares deployments; it is no forecast.
    """
    if isinstance(request, EmbeddingRequest):
        return 0
    caps = (request.max_output_tokens, deployment.max_output_tokens)
    known = (cap for cap in caps if cap is not None)
    return min((_USUAL_OUTPUT_TOKENS, *known)) * request.choices


def _rounded(millionths: int) -> int:
    """Divide by a million, half to even."""
    whole, rest = divmod(millionths, _PER_TOKENS)
    half = _PER_TOKENS // 2
    return whole + (rest > half or (rest == half and whole % 2 == 1))


@lru_cache(maxsize=1024)
def _listed(kind: str, model: str, day: date) -> Price | None:
    listed = _prices(day).get(kind, {})
    name = model.lower()
    return listed.get(name) or listed.get(_SUFFIX.sub("", name))


@lru_cache(maxsize=2)
def _prices(day: date) -> Mapping[str, Mapping[str, Price]]:
    """Read the list, when the first price of a day is asked for."""
    text = resources.files("flaskllm.llm").joinpath("prices.json").read_text("utf-8")
    return prices_on(json.loads(text), day)


def prices_on(listed: Mapping[str, Any], day: date) -> dict[str, dict[str, Price]]:
    """Return the prices of a list as they stand on a day, by kind and model."""
    prices = {
        kind: {name.lower(): _price_on(terms, day) for name, terms in models.items()}
        for kind, models in listed["prices"].items()
    }
    same = {kind: prices[other] for kind, other in listed["same_as"].items()}
    return {**prices, **same}


def _price_on(steps: Any, day: date) -> Price:
    """Return the last of the terms that have begun; the first have always."""
    if isinstance(steps, dict):
        return price_from(steps)
    begun = [each for each in steps if each.get("from", "") <= day.isoformat()]
    return price_from(begun[-1])


def price_from(terms: Mapping[str, Any]) -> Price:
    """Return the price that was told as JSON, see `price_as_json`."""
    tiers = tuple(
        Tier(tier["above"], Price(**_plain(tier))) for tier in terms.get("tiers", ())
    )
    return replace(Price(**_plain(terms)), tiers=tiers)


def price_as_json(price: Price) -> dict[str, Any]:
    """Return the price as plain JSON, what is None left out."""
    told = {name: getattr(price, name) for name in _PLAIN}
    terms: dict[str, Any] = {
        name: each for name, each in told.items() if each is not None
    }
    if price.tiers:
        terms["tiers"] = [
            {"above": tier.above_tokens, **price_as_json(tier.price)}
            for tier in price.tiers
        ]
    return terms


def _plain(terms: Mapping[str, Any]) -> dict[str, Any]:
    return {name: terms[name] for name in _PLAIN if name in terms}
