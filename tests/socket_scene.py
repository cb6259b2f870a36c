"""A router over the real transport before scripted upstreams on real sockets."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from flaskllm.core.clock import Deadline, SystemClock
from flaskllm.llm.catalog import Catalog, Route
from flaskllm.llm.parts import Message
from flaskllm.llm.patience import Policy
from flaskllm.llm.providers import build_provider
from flaskllm.llm.router import Router
from flaskllm.llm.streams import Chunk
from flaskllm.llm.types import (
    Call,
    CallerBody,
    CompletionRequest,
    Deployment,
    Timeouts,
)
from flaskllm.net.transport import Transport

CLOCK = SystemClock()
REQUEST = CompletionRequest(None, (Message("user", "When is the launch?"),))
_FIELDS = {"messages": [{"role": "user", "content": "When is the launch?"}]}
RAW = CompletionRequest(
    None, REQUEST.messages, body=CallerBody("openai.chat", _FIELDS), stream=True
)


@dataclass
class Told:
    """What a caller hears of its request, with no real waiting between attempts."""

    deadline_seconds: float = 10.0
    caller: socket.socket | None = None
    waited: list = field(default_factory=list)
    codes: list = field(default_factory=list)
    outcomes: list = field(default_factory=list)

    def call(self) -> Call:
        return Call(
            Deadline.after(self.deadline_seconds, CLOCK),
            self.waited.append,
            lambda attempt: None,
            self._after,
            self.caller,
        )

    def _after(self, attempt, outcome):
        self.codes.append(outcome.code)
        self.outcomes.append(outcome)


def transport():
    return Transport(
        pool_size=1,
        connect_timeout_seconds=2.0,
        proxies=lambda url: None,
        ca_bundle=None,
    )


@contextmanager
def routing() -> Iterator:
    """Lend what builds a router whose deployments a, b, ... stand at addresses.

    Each is the fallback of the one before; time-outs are by the fields' names. `kinds`
    are those of the providers, where they are not all vLLM's.
    """
    opened = []

    def build(*urls, rescue="match", kinds=(), **seconds):
        names = [chr(ord("a") + number) for number in range(len(urls))]
        kept = {name: transport() for name in names}
        opened.extend(kept.values())
        shared = {"rescue": rescue}
        chain = tuple(names[1:])
        routes = [Route(alias="a", weights={"a": 1}, fallbacks=chain, **shared)]
        routes += [Route(alias=name, weights={name: 1}, **shared) for name in chain]
        kinds = kinds or ["vllm"] * len(urls)
        credentials = {"anthropic": "sk-ant-x"}
        deployments = {
            name: Deployment(
                name, name, kind, f"m-{name}", timeouts=Timeouts(**seconds)
            )
            for name, kind in zip(names, kinds, strict=True)
        }
        providers = {
            name: build_provider(kind, url, credentials.get(kind), CLOCK)
            for name, kind, url in zip(names, kinds, urls, strict=True)
        }
        catalog = Catalog(tuple(routes), deployments)
        return Router(catalog, providers, kept, Policy(), Random(1))

    yield build
    for each in opened:
        each.close()


def closed_address() -> str:
    """Return an address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def text_of(pieces) -> str:
    """Return the words in the chunks of an answer."""
    return "".join(piece.text for piece in pieces if isinstance(piece, Chunk))
