"""What an attempt costs, in whole nano-dollars: a billionth of a US dollar.

`prices.json` holds the list prices of well-known models on the day that it names,
and what they leave out. A model that it does not hold has no price: None, never 0.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources

from flaskllm.llm.terms import Price
from flaskllm.llm.types import CompletionRequest, Deployment, EmbeddingRequest, Usage

_PER_TOKENS = 1_000_000

# An answer to a chat is some three hundred words, where nobody caps it lower.
_USUAL_OUTPUT_TOKENS = 400

# `gpt-4o-2024-08-06`, `claude-haiku-4-5-20251001`, `grok-4.3-latest`. A shorter date
# (`mistral-large-2407`) is a version of its own, with a price of its own.
_SUFFIX = re.compile(r"-(latest|20\d\d-\d\d-\d\d|20\d{6})\Z")


def price_of(deployment: Deployment) -> Price | None:
    """Return the deployment's own price, else the list price, else None.

    The list is asked by the provider's kind and the model's name, whatever its case:
    first as it is, then without a full date or `-latest` at its end. Kinds that are
    not in the list, as local servers are, have no price but their own.
    """
    return deployment.price or _listed(deployment.kind, deployment.model)


def cost_nanos(price: Price, usage: Usage) -> int:
    """Return what these tokens cost in nano-dollars.

    The sum of ``tokens * price / 1,000,000`` over uncached, kept and newly kept
    input and over output, thoughts included; rounded once, half to even. What an
    upstream keeps costs as much as other input where no price is known for it.
    """
    read = price.input if price.cache_read is None else price.cache_read
    write = price.input if price.cache_write is None else price.cache_write
    return _rounded(
        usage.input_uncached * price.input
        + usage.input_cache_read * read
        + usage.input_cache_write * write
        + usage.tokens_output * price.output
    )


def expected_cost_nanos(price: Price, tokens_input: int, tokens_output: int) -> int:
    """Return what a request is likely to cost, in nano-dollars; nothing is cached."""
    return _rounded(tokens_input * price.input + tokens_output * price.output)


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
def _listed(kind: str, model: str) -> Price | None:
    listed = _prices().get(kind, {})
    name = model.lower()
    return listed.get(name) or listed.get(_SUFFIX.sub("", name))


@lru_cache(maxsize=1)
def _prices() -> Mapping[str, Mapping[str, Price]]:
    """Read the list, once, when the first price is asked for."""
    text = resources.files("flaskllm.llm").joinpath("prices.json").read_text("utf-8")
    told = json.loads(text)
    prices = {
        kind: {model.lower(): Price(**terms) for model, terms in models.items()}
        for kind, models in told["prices"].items()
    }
    same = {kind: prices[other] for kind, other in told["same_as"].items()}
    return {**prices, **same}
