"""The list of prices itself: what its numbers may be, and a dozen of them."""

import json
from datetime import date

import pytest
from source_tree import ROOT

from flaskllm.core.config_kinds import KINDS
from flaskllm.llm.prices import price_of, prices_on
from flaskllm.llm.types import Deployment

LIST = json.loads((ROOT / "flaskllm/llm/prices.json").read_text("utf-8"))
LOCAL = {"ollama", "vllm", "llamacpp", "openai_compatible", "extractive"}
TERMS = {"input", "output", "cache_read", "cache_write", "reasoning"}
THOUSAND_DOLLARS = 1_000_000_000_000


def steps_of(terms):
    return terms if isinstance(terms, list) else [terms]


def all_steps(kind):
    return [step for terms in LIST["prices"][kind].values() for step in steps_of(terms)]


def test_the_list_says_when_it_was_made_and_of_what():
    assert date.fromisoformat(LIST["compiled"]) >= date(2026, 11, 21)
    assert LIST["source"].endswith("(MIT)")


def test_kinds_are_those_of_the_settings_and_none_of_them_is_local():
    kinds = {*LIST["prices"], *LIST["same_as"]}

    assert kinds <= set(KINDS)
    assert not kinds & LOCAL
    assert set(LIST["same_as"].values()) <= set(LIST["prices"])


@pytest.mark.parametrize("kind", sorted(LIST["prices"]))
def test_no_model_stands_there_twice(kind):
    names = list(LIST["prices"][kind])

    assert names
    assert len({name.lower() for name in names}) == len(names)


@pytest.mark.parametrize("kind", sorted(LIST["prices"]))
def test_prices_are_plausible_whole_numbers(kind):
    for step in all_steps(kind):
        for terms in (step, *step.get("tiers", ())):
            told = {name: terms[name] for name in TERMS & set(terms)}
            assert {"input", "output"} <= set(told)
            assert all(type(each) is int for each in told.values())
            assert all(0 <= each <= THOUSAND_DOLLARS for each in told.values())
        assert set(step) <= TERMS | {"tiers", "from"}


@pytest.mark.parametrize("kind", sorted(LIST["prices"]))
def test_tiers_rise_and_announced_terms_follow_in_time(kind):
    for terms in LIST["prices"][kind].values():
        begins = [step.get("from", "") for step in steps_of(terms)]
        assert begins == sorted(set(begins))
    for step in all_steps(kind):
        bounds = [tier["above"] for tier in step.get("tiers", ())]
        assert bounds == sorted(set(bounds))


@pytest.mark.parametrize("kind", sorted(LIST["prices"]))
def test_every_model_of_the_list_is_found(kind):
    for model in LIST["prices"][kind]:
        assert price_of(Deployment("d", "p", kind, model)) is not None


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


def test_announced_prices_hold_from_their_day_on():
    listed = {
        "prices": {
            "openai": {
                "m": [
                    {"input": 2, "output": 10},
                    {"from": "2026-12-01", "input": 4, "output": 20},
                ]
            }
        },
        "same_as": {"azure": "openai"},
    }

    before = prices_on(listed, date(2026, 11, 30))["openai"]["m"]
    then = prices_on(listed, date(2026, 12, 1))

    assert (before.input, then["openai"]["m"].input) == (2, 4)
    assert then["azure"] == then["openai"]
