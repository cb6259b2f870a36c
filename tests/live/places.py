"""The providers that can be asked for real: who is there, what it may cost."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from flaskllm.core.clock import Deadline, SystemClock
from flaskllm.core.config_kinds import KINDS
from flaskllm.llm.providers import Lister, build_provider
from flaskllm.llm.tokens import estimate_request
from flaskllm.llm.types import CompletionRequest, Deployment, Usage
from flaskllm.net.transport import HttpReply, HttpRequest, Transport

SECONDS = 120.0

# Servers of our own, which may serve any model and may ask for no credential.
LOCAL = {"ollama": "OLLAMA_HOST", "vllm": "VLLM_URL", "llamacpp": "LLAMACPP_URL"}
HOSTED = {
    kind: told.variable
    for kind, told in KINDS.items()
    if told.variable and kind not in LOCAL
}
VARIABLES = {**HOSTED, **LOCAL}
PRESENT = [kind for kind, variable in VARIABLES.items() if os.environ.get(variable)]
ABSENT = [kind for kind in VARIABLES if kind not in PRESENT]
VECTORS = {
    "openai": "text-embedding-3-small",
    "gemini": "gemini-embedding-001",
    "mistral": "mistral-embed",
}
CAP_VARIABLE = "FLASKLLM_TEST_SPEND_DOLLARS"

# Five times and more what the models cost that are asked when none is named.
_DOLLARS_PER_INPUT_TOKEN = 5e-6
_DOLLARS_PER_OUTPUT_TOKEN = 25e-6


@dataclass
class Purse:
    """What the tests may still spend, counted with a price that is rather too high."""

    dollars: float
    spent_dollars: float = 0.0

    def reserve(self, request: CompletionRequest) -> None:
        """Skip the test when its worst case would go beyond the cap."""
        worst = _price(estimate_request(request), request.max_output_tokens or 0)
        if self.spent_dollars + worst > self.dollars:
            pytest.skip(
                f"${self.spent_dollars:.4f} of ${self.dollars} are spent, and this "
                f"may cost ${worst:.4f}: raise {CAP_VARIABLE}"
            )

    def pay(self, usage: Usage) -> None:
        self.spent_dollars += _price(usage.tokens_input, usage.tokens_output)


def _price(tokens_input: int, tokens_output: int) -> float:
    return (
        tokens_input * _DOLLARS_PER_INPUT_TOKEN
        + tokens_output * _DOLLARS_PER_OUTPUT_TOKEN
    )


@dataclass
class Live:
    """A provider that is there, and the way to it."""

    kind: str
    base_url: str | None
    api_key: str | None = field(repr=False)
    transport: Transport
    provider: Any = None
    model: str = ""

    def __post_init__(self) -> None:
        self.provider = self.build(self.api_key)
        self.model = self._given("MODEL") or KINDS[self.kind].model or self._first()

    @property
    def is_local(self) -> bool:
        return self.kind in LOCAL

    @property
    def deployment(self) -> Deployment:
        return Deployment("live", self.kind, self.kind, self.model)

    def build(self, api_key: str | None) -> Any:
        return build_provider(self.kind, self.base_url, api_key, SystemClock())

    def send(self, request: HttpRequest) -> HttpReply:
        deadline = Deadline.after(SECONDS, SystemClock())
        return self.transport.send(request, deadline=deadline)

    def pieces(self, request: HttpRequest) -> Iterator[bytes]:
        """Yield the bytes of a streamed answer with status 200."""
        stream = self.transport.open(
            request, deadline=Deadline.after(SECONDS, SystemClock())
        )
        try:
            assert stream.status == 200, self.provider.explain(stream.read_reply())
            while data := stream.read(gap_seconds=SECONDS):
                yield data
        finally:
            stream.close()

    def models(self) -> list[str]:
        """Return the names that the upstream lists."""
        reply = self.send(self.provider.encode_listing())
        assert reply.status == 200, self.provider.explain(reply)
        return [each.id for each in self.provider.decode_listing(reply)]

    def _first(self) -> str:
        assert isinstance(self.provider, Lister), f"set {self._variable('MODEL')}"
        return self.models()[0]

    def _given(self, what: str) -> str:
        return os.environ.get(self._variable(what), "")

    def _variable(self, what: str) -> str:
        variable = VARIABLES[self.kind]
        stem = variable.removesuffix("_API_KEY").removesuffix("_HOST")
        return f"{stem.removesuffix('_URL')}_{what}"


def reach(kind: str, transport: Transport) -> Live:
    """Return a provider that is present."""
    variable = VARIABLES[kind]
    value = os.environ[variable]
    if kind not in LOCAL:
        base_url = os.environ.get(variable.replace("_API_KEY", "_BASE_URL")) or None
        return Live(kind, base_url, value, transport)
    base_url = value if "://" in value else f"http://{value}"
    stem = variable.rpartition("_")[0]
    return Live(kind, base_url, os.environ.get(f"{stem}_API_KEY"), transport)
