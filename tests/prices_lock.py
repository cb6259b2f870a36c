"""Build `prices.json` anew from a public data set of prices: `make prices`.

It runs in an environment of its own, beside `genai_prices` (MIT), of which only the
facts are taken: each model's names and its prices, those of today and those that are
announced. Fees for a request, a picture or an hour of sound are left out.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

LIST = Path(__file__).parents[1] / "flaskllm/llm/prices.json"

KINDS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "google": "gemini",
    "groq": "groq",
    "mistral": "mistral",
    "deepseek": "deepseek",
    "openrouter": "openrouter",
    "together": "together",
    "x-ai": "xai",
    "fireworks": "fireworks",
    "perplexity": "perplexity",
    "cerebras": "cerebras",
    "moonshotai": "moonshot",
    "zai": "zai",
}
"""The providers of the data set, and our kinds."""

TERMS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "reasoning": "output_reasoning_mtok",
}
NOTES = [
    "List prices without tax, discounts, batches, priority or regional surcharges.",
    "`tiers`: once the input has more tokens than `above`, all cost what it says.",
    "`from`: the day on which announced terms take the place of those before.",
    "Where the price changes with the hour, it is that of the dear hours.",
    "What is kept for an hour is written at the price of five minutes.",
    "Fees for each request, search, picture or hour of sound come on top.",
    "An Azure deployment is known where it bears the name of its model; its price is "
    "that of OpenAI.",
]

Terms = dict[str, Any]


def build(providers: Iterable[Any], today: date) -> Mapping[str, Mapping[str, Any]]:
    """Return the terms of every model that is priced by tokens, by kind and name."""
    return {
        KINDS[provider.id]: dict(sorted(_models(provider, today)))
        for provider in sorted(providers, key=lambda each: KINDS.get(each.id, ""))
        if provider.id in KINDS
    }


def write(prices: Mapping[str, Mapping[str, Any]], source: str, today: date) -> str:
    """Return the text of the list: one model a line."""
    head = {
        "compiled": today.isoformat(),
        "source": source,
        "unit": "nano-dollars for a million tokens: 1000000000 is one US dollar",
        "notes": NOTES,
        "same_as": {"azure": "openai"},
    }
    kinds = ",\n".join(
        f"    {json.dumps(kind)}: {{\n"
        + ",\n".join(
            f"      {json.dumps(name)}: {json.dumps(terms)}"
            for name, terms in models.items()
        )
        + "\n    }"
        for kind, models in prices.items()
    )
    start = json.dumps(head, indent=2).removesuffix("\n}")
    return f'{start},\n  "prices": {{\n{kinds}\n  }}\n}}\n'


def _models(provider: Any, today: date) -> Iterator[tuple[str, Any]]:
    taken: set[str] = set()
    for model in provider.models:
        steps = list(_steps(model.prices, today))
        if not steps:
            continue
        for name in sorted({model.id, *_names(model.match)}):
            # The data set asks its models in order: the first that matches counts.
            if name.lower() not in taken:
                taken.add(name.lower())
                yield name, steps[0] if len(steps) == 1 else steps


def _names(clause: Any) -> Iterator[str]:
    """Yield the names that a clause matches as they are."""
    equal = getattr(clause, "equals", None)
    if equal is not None:
        yield equal
    for other in getattr(clause, "or_", ()):
        yield from _names(other)


def _steps(prices: Any, today: date) -> Iterator[Terms]:
    """Yield the terms of today, then those announced, each with its first day."""
    if not isinstance(prices, list):
        terms = _terms(prices)
        if terms:
            yield terms
        return
    now: list[Terms] = []
    later: list[tuple[date, Terms]] = []
    for each in prices:
        begins = getattr(each.constraint, "start_date", None)
        terms = _terms(each.prices)
        if not terms:
            continue
        if begins is not None and begins > today:
            later.append((begins, terms))
        elif begins is not None:
            now = [terms]  # it took the place of all before
        else:
            now.append(terms)
    if now:
        yield max(now, key=lambda each: each["input"])
    for begins, terms in sorted(later, key=lambda each: each[0]):
        yield {"from": begins.isoformat(), **terms}


def _terms(price: Any) -> Terms:
    """Return what the tokens cost; empty where they are not what is paid for."""
    told = {name: getattr(price, key, None) for name, key in TERMS.items()}
    told = {name: each for name, each in told.items() if each is not None}
    if "input" not in told:
        return {}
    terms: Terms = {"output": 0} | {name: _base(each) for name, each in told.items()}
    terms = {name: terms[name] for name in TERMS if name in terms}
    starts = {tier.start for each in told.values() for tier in _tiers(each)}
    if starts:
        terms["tiers"] = [
            {"above": start} | {name: _at(each, start) for name, each in told.items()}
            for start in sorted(starts)
        ]
    return terms


def _tiers(price: Any) -> Iterable[Any]:
    return getattr(price, "tiers", ())


def _base(price: Any) -> int:
    return _nanos(getattr(price, "base", price))


def _at(price: Any, start: int) -> int:
    """Return the price in the tier that begins there."""
    reached = [each.price for each in _tiers(price) if each.start <= start]
    return _nanos(reached[-1]) if reached else _base(price)


def _nanos(dollars: Decimal) -> int:
    nanos = dollars * 10**9
    return round(nanos)


def main() -> None:
    """Write the list."""
    from genai_prices.data import providers

    today = date.today()
    source = f"genai-prices {version('genai-prices')} (MIT)"
    text = write(build(providers, today), source, today)
    LIST.write_text(text, "utf-8")
    models = sum(map(len, json.loads(text)["prices"].values()))
    sys.stdout.write(f"{models} prices, compiled {today} from {source}\n")


if __name__ == "__main__":
    main()
