"""Golden invoices: what a provider's own count of tokens costs, to the nano-dollar.

The sums are made by hand, by the vendors' published rules: OpenAI and those who
speak its dialect count cached tokens inside the prompt, Anthropic beside it; Gemini
counts thoughts beside the answer, OpenAI inside.
"""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from contract_requests import ASKS
from recordings import RECORDED, build, place

from flaskllm.llm.prices import cost_nanos, price_of
from flaskllm.llm.types import Deployment
from flaskllm.net.transport import HttpReply


@dataclass(frozen=True)
class Invoice:
    folder: str
    model: str
    usage: dict[str, Any]
    nanos: int
    where: str = "usage"

    def __str__(self):
        return f"{self.folder}/{self.model}"


INVOICES = [
    # 176 x $0.15 + 1,024 x $0.075 + 310 x $0.60, thoughts inside the 310
    Invoice(
        "openai",
        "gpt-4o-mini",
        {
            "prompt_tokens": 1200,
            "completion_tokens": 310,
            "total_tokens": 1510,
            "prompt_tokens_details": {"cached_tokens": 1024},
            "completion_tokens_details": {"reasoning_tokens": 192},
        },
        289_200,
    ),
    # Above 272,000 of input: 300,000 x $0.40 + 1,000 x $1.80
    Invoice(
        "openai",
        "gpt-5.6-luna",
        {
            "prompt_tokens": 300_000,
            "completion_tokens": 1000,
            "total_tokens": 301_000,
        },
        121_800_000,
    ),
    Invoice(
        "azure",
        "gpt-4o-mini",
        {
            "prompt_tokens": 1200,
            "completion_tokens": 310,
            "total_tokens": 1510,
            "prompt_tokens_details": {"cached_tokens": 1024},
        },
        289_200,
    ),
    # 21 x $1 + 2,000 x $1.25 + 10,000 x $0.10 + 300 x $5: cached beside the input
    Invoice(
        "anthropic",
        "claude-haiku-4-5",
        {
            "input_tokens": 21,
            "cache_creation_input_tokens": 2000,
            "cache_read_input_tokens": 10_000,
            "output_tokens": 300,
        },
        5_021_000,
    ),
    # 21 x $0.30 + 8 x $2.50
    Invoice(
        "gemini",
        "gemini-2.5-flash",
        {"promptTokenCount": 21, "candidatesTokenCount": 8, "totalTokenCount": 29},
        26_300,
        "usageMetadata",
    ),
    # Above 200,000: 150,000 x $2.50 + 100,000 x $0.25 + (500 + 1,500) x $15
    Invoice(
        "gemini",
        "gemini-2.5-pro",
        {
            "promptTokenCount": 250_000,
            "cachedContentTokenCount": 100_000,
            "candidatesTokenCount": 500,
            "thoughtsTokenCount": 1500,
            "totalTokenCount": 252_000,
        },
        430_000_000,
        "usageMetadata",
    ),
    # 6 x $0.30 + 12 x $0.006 + 9 x $1.20
    Invoice(
        "deepseek",
        "deepseek-flash",
        {
            "prompt_tokens": 18,
            "completion_tokens": 9,
            "total_tokens": 27,
            "prompt_cache_hit_tokens": 12,
            "prompt_cache_miss_tokens": 6,
        },
        12_672,
    ),
    # 14 x $2 + 4 x $0.30 + (9 + 60) x $6: thoughts beside the completion
    Invoice(
        "xai",
        "grok-4.5",
        {
            "prompt_tokens": 18,
            "completion_tokens": 9,
            "total_tokens": 87,
            "prompt_tokens_details": {"cached_tokens": 4},
            "completion_tokens_details": {"reasoning_tokens": 60},
        },
        443_200,
    ),
    # 12 x $3 + 6 x $0.30 + 9 x $15
    Invoice(
        "moonshot",
        "kimi-k3",
        {
            "prompt_tokens": 18,
            "completion_tokens": 9,
            "total_tokens": 27,
            "cached_tokens": 6,
        },
        172_800,
    ),
]


@pytest.mark.parametrize("invoice", INVOICES, ids=str)
def test_an_upstreams_count_becomes_its_invoice(invoice):
    recorded = json.loads((RECORDED / invoice.folder / "chat.json").read_text("utf-8"))
    body = {**recorded["body"], invoice.where: invoice.usage}
    reply = HttpReply(200, {}, json.dumps(body).encode())
    completion = build(invoice.folder).decode(reply, ASKS["chat"])

    kind = place(invoice.folder).kind
    price = price_of(Deployment("d", "p", kind, invoice.model))

    assert completion.usage.source == "provider"
    assert cost_nanos(price, completion.usage) == invoice.nanos
