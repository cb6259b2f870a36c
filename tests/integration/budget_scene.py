"""A gateway with a dear model and a free one, and people who share a tag."""

from typing import Any

from api_tokens import make_token
from budget_rows import DOLLAR, OPERATOR
from fakes import chat, json_reply
from stream_steps import sse, tokens

from flaskllm.core.auth import Scope
from flaskllm.services.budget_keeping import BudgetReport, NewBudget

# A token costs a thousandth of a dollar: what is small is easily spent.
SETTINGS = """
providers:
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  large:
    {{provider: box, model: dear-1, context_window: 32000,
      price: {{input: 1000, output: 1000}}}}
  small:
    {{provider: box, model: cheap-1, context_window: 32000,
      price: {{input: 0, output: 0}}}}
  vague: {{provider: box, model: nobody-knows-1, context_window: 32000}}
routes:
  - {{alias: fast, deployments: {{large: 1}}}}
  - {{alias: local, deployments: {{small: 1}}}}
  - {{alias: unpriced, deployments: {{vague: 1}}}}
default_route: fast
"""
HELLO = [{"role": "user", "content": "Hello"}]
ALL = (Scope.CHAT, Scope.WEBHOOK, Scope.READ)
CENT = DOLLAR // 100

# 12 tokens in and 5 out.
COST_NANOS = 17 * DOLLAR // 1000
COUNTED = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
VECTORS = {
    "object": "list",
    "model": "dear-1",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 1.0]}],
    "usage": {"prompt_tokens": 12, "total_tokens": 12},
}

# Each door that asks a model, and a small question.
DOORS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/api/v1/chat", {"message": "Hello", "max_output_tokens": 10}),
    "chat stream": (
        "/api/v1/chat/stream",
        {"message": "Hello", "max_output_tokens": 10},
    ),
    "openai chat": (
        "/v1/chat/completions",
        {"model": "fast", "messages": HELLO, "max_tokens": 10},
    ),
    "openai stream": (
        "/v1/chat/completions",
        {"model": "fast", "messages": HELLO, "max_tokens": 10, "stream": True},
    ),
    "openai text": (
        "/v1/completions",
        {"model": "fast", "prompt": "Hello", "max_tokens": 10},
    ),
    "openai vectors": ("/v1/embeddings", {"model": "fast", "input": "Hello"}),
    "openai responses": (
        "/v1/responses",
        {"model": "fast", "input": "Hello", "max_output_tokens": 10},
    ),
    "anthropic": (
        "/v1/messages",
        {"model": "fast", "messages": HELLO, "max_tokens": 10},
    ),
    "anthropic stream": (
        "/v1/messages",
        {"model": "fast", "messages": HELLO, "max_tokens": 10, "stream": True},
    ),
}


def answer(exchange):
    """Answer as it is asked: vectors, a stream, or a whole answer."""
    asked = exchange.request.json
    if "input" in asked:
        json_reply(VECTORS | {"model": asked["model"]})(exchange)
    elif asked.get("stream"):
        sse(tokens("Hi", " there", model=asked["model"]))(exchange)
    else:
        chat("Hi there", model=asked["model"])(exchange)


class BudgetHouse:
    """The gateway, an admin, and one who carries the tag `sales`."""

    def __init__(self, gateway: Any):
        self.gateway = gateway
        self.services = gateway.services
        made = make_token(self.services.api_tokens, *ALL, name="ann", tags=("sales",))
        self.ann, self.ann_id = made.text, made.id
        self.admin = make_token(self.services.api_tokens, Scope.ADMIN, name="adm").text

    def budget(self, limit_nanos: int = 0, **fields: Any) -> BudgetReport:
        """Make a hard budget of a month for `sales`, but for these fields."""
        usual = {"subject": "tag:sales", "period": "month", "kind": "hard"}
        wanted = NewBudget(**{**usual, "limit_nanos": limit_nanos, **fields})
        return self.services.budgets.create(wanted, None, OPERATOR)

    def open(self, method: str, path: str, body: Any = None, token: str | None = None):
        headers = {"Authorization": f"Bearer {token or self.ann}"}
        return self.gateway.client.open(path, method=method, json=body, headers=headers)

    def ask(self, door: str, **fields: Any):
        """Ask through a door; the answer is read to its end."""
        path, body = DOORS[door]
        reply = self.open("POST", path, body | fields)
        reply.get_data()
        return reply

    def settled(self, report: BudgetReport) -> BudgetReport:
        """Return how a budget stands once all that ended is settled."""
        self.services.accounts.flush()
        return self.services.budgets.get(report.budget.id)


def models_asked(upstream: Any) -> list[str]:
    """Return the models that the upstream was asked for."""
    return [request.json["model"] for request in upstream.requests]
