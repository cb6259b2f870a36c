"""The list of prices itself: what its numbers may be, and a dozen of them."""

import json
from datetime import date

import pytest
from source_tree import ROOT

from flaskllm.core.config_kinds import KINDS
from flaskllm.llm.prices import price_of
from flaskllm.llm.types import Deployment

LIST = json.loads((ROOT / "flaskllm/llm/prices.json").read_text("utf-8"))
ROWS = [
    (kind, model, terms)
    for kind, models in LIST["prices"].items()
    for model, terms in models.items()
]
LOCAL = {"ollama", "vllm", "llamacpp", "openai_compatible", "extractive"}


def test_the_list_says_when_it_was_made_and_where_the_vendors_tell_prices():
    assert date.fromisoformat(LIST["compiled"]) >= date(2026, 11, 21)
    assert all(each.startswith("https://") for each in LIST["sources"])
    assert len(set(LIST["sources"])) >= len(LIST["prices"])


def test_kinds_are_those_of_the_settings_and_none_of_them_is_local():
    kinds = {*LIST["prices"], *LIST["same_as"]}

    assert kinds <= set(KINDS)
    assert not kinds & LOCAL
    assert set(LIST["same_as"].values()) <= set(LIST["prices"])


@pytest.mark.parametrize("kind", sorted(LIST["prices"]))
def test_no_model_stands_there_twice(kind):
    names = list(LIST["prices"][kind])

    assert len({name.lower() for name in names}) == len(names)


@pytest.mark.parametrize(("kind", "model", "terms"), ROWS)
def test_a_price_is_plausible(kind, model, terms):
    cent, thousand_dollars = 10_000_000, 1_000_000_000_000

    assert set(terms) <= {"input", "output", "cache_read", "cache_write"}
    assert all(type(each) is int for each in terms.values())
    assert cent <= terms["input"] <= thousand_dollars
    assert terms.get("cache_read", terms["input"]) <= terms["input"]
    assert terms.get("cache_write", terms["input"]) >= terms["input"]
    if "embed" in model:
        assert terms["output"] == 0
    else:
        assert terms["input"] <= terms["output"] <= 12 * terms["input"]


@pytest.mark.parametrize(("kind", "model", "terms"), ROWS)
def test_every_row_is_found(kind, model, terms):
    found = price_of(Deployment("d", "p", kind, model))

    assert found is not None
    assert {
        name: getattr(found, name)
        for name in ("input", "output", "cache_read", "cache_write")
    } == {"cache_read": None, "cache_write": None, **terms}


@pytest.mark.parametrize(
    ("kind", "model", "dollars_in", "dollars_out"),
    [
        ("openai", "gpt-4o-mini", 0.15, 0.60),
        ("openai", "gpt-4.1", 2.00, 8.00),
        ("openai", "gpt-5.4-mini", 0.75, 4.50),
        ("openai", "gpt-6-sol", 2.00, 10.00),
        ("anthropic", "claude-haiku-4-5", 1.00, 5.00),
        ("anthropic", "claude-opus-5", 5.00, 25.00),
        ("gemini", "gemini-2.5-flash", 0.30, 2.50),
        ("gemini", "gemini-2.5-pro", 1.25, 10.00),
        ("groq", "openai/gpt-oss-120b", 0.15, 0.60),
        ("deepseek", "deepseek-flash", 0.30, 1.20),
        ("xai", "grok-4.5", 2.00, 6.00),
        ("moonshot", "kimi-k3", 3.00, 15.00),
        ("perplexity", "sonar-pro", 3.00, 15.00),
    ],
)
def test_a_well_known_price_is_as_its_vendor_tells_it(
    kind, model, dollars_in, dollars_out
):
    price = price_of(Deployment("d", "p", kind, model))

    assert (price.input / 1e9, price.output / 1e9) == (dollars_in, dollars_out)
