"""The recorded replies of every provider, and what each of them means.

`tests/recorded/<provider>/` holds what one service answers, written by hand from
the shapes that it documents. A JSON file there is one exchange:

    source    where the shape is documented
    asks      which request of `contract_requests.ASKS`; absent: "chat"
    sends     the body that the provider must send for it; absent: not looked at
    exchange  "chat" (also when absent), "embedding" or "models"
    status    of the reply; absent: 200
    headers   of the reply, names in lower case; absent: none
    body      of the reply, as JSON; or
    stream    the file beside it (`.sse`, `.ndjson`) with the bytes of the reply
    means     what the provider must read out of it: the fields of a `Completion`
              (`usage` as the fields of a `Usage` that are not 0; null: not counted;
              the id "*" of a call: any), of `Embeddings`, a list of `ListedModel`,
              or {"error": class, "retry_after_seconds": ..., "fields": [paths]}

To add an exchange, put the file there: nothing else is to be done. To add a
provider, make a folder with the name of its kind; when it needs another address
than `https://upstream.test/v1`, or the folder has another name, add a row to
`PLACES`. The first word of a file's name says what it shows: chat, stream, tools,
json, image, embedding, models, error; `test_coverage.py` says which of these a
provider must have.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fakes import FakeClock

from flaskllm.llm.parts import Thinking, ToolCall
from flaskllm.llm.providers import build_provider
from flaskllm.llm.providers.listing import ListedModel
from flaskllm.llm.types import Completion, Embeddings, Usage
from flaskllm.net.transport import HttpReply

RECORDED = Path(__file__).parent.parent / "recorded"
NO_REPLIES = {"tokens"}  # true counts of tokens, for the estimate
CREDENTIAL = "sk-fake-credential"


@dataclass(frozen=True)
class Place:
    """Where the provider of a folder is said to be."""

    kind: str
    base_url: str = "https://upstream.test/v1"


PLACES = {
    "azure": Place("azure", "https://upstream.test"),
    "azure_v1": Place("azure", "https://upstream.test/openai/v1"),
    "anthropic": Place("anthropic", "https://upstream.test"),
    "gemini": Place("gemini", "https://upstream.test"),
    "ollama": Place("ollama", "https://upstream.test"),
}


def place(folder: str) -> Place:
    """Return where the provider of a folder is."""
    return PLACES.get(folder, Place(folder))


def build(folder: str) -> Any:
    """Return the provider of a folder."""
    there = place(folder)
    return build_provider(there.kind, there.base_url, CREDENTIAL, FakeClock())


@dataclass(frozen=True)
class Recording:
    """One recorded exchange."""

    folder: str
    name: str
    told: dict[str, Any] = field(repr=False)

    @property
    def means(self) -> Any:
        return self.told["means"]

    @property
    def is_error(self) -> bool:
        return isinstance(self.means, dict) and "error" in self.means

    @property
    def exchange(self) -> str:
        return self.told.get("exchange", "chat")

    @property
    def asks(self) -> str:
        return self.told.get("asks", "chat")

    @property
    def is_stream(self) -> bool:
        return "stream" in self.told

    @property
    def data(self) -> bytes:
        """Return the reply's body as it comes."""
        if self.is_stream:
            return (RECORDED / self.folder / self.told["stream"]).read_bytes()
        return json.dumps(self.told["body"], ensure_ascii=False).encode()

    @property
    def reply(self) -> HttpReply:
        """Return the reply as the transport hands it over."""
        status, headers = self.told.get("status", 200), self.told.get("headers", {})
        return HttpReply(status, headers, self.data)

    def __str__(self) -> str:
        return f"{self.folder}/{self.name}"


def read_all() -> list[Recording]:
    """Return every recording, in the order of their names."""
    return [
        Recording(path.parent.name, path.stem, json.loads(path.read_text("utf-8")))
        for path in sorted(RECORDED.glob("*/*.json"))
        if path.parent.name not in NO_REPLIES
    ]


def usage_of(told: dict[str, Any] | None) -> Usage:
    """Return the usage that a recording means."""
    return Usage(**{"source": "provider", **told}) if told is not None else Usage()


def completion_of(means: dict[str, Any], **others: Any) -> Completion:
    """Return the completion that a recording means; `others` are not in it."""
    told = dict(means)
    calls = tuple(ToolCall(**call) for call in told.pop("tool_calls", ()))
    thinking = tuple(Thinking(**thought) for thought in told.pop("thinking", ()))
    return Completion(
        text=told.pop("text", ""),
        finish_reason=told.pop("finish_reason", "stop"),
        usage=usage_of(told.pop("usage")),
        tool_calls=calls,
        thinking=thinking,
        **told,
        **others,
    )


def embeddings_of(means: dict[str, Any]) -> Embeddings:
    """Return the vectors that a recording means."""
    vectors = tuple(tuple(vector) for vector in means["vectors"])
    return Embeddings(vectors, usage_of(means["usage"]), means["model"])


def models_of(means: list[dict[str, Any]]) -> tuple[ListedModel, ...]:
    """Return the models that a recording means."""
    told = (dict(each) for each in means)
    return tuple(
        ListedModel(
            capabilities=frozenset(able)
            if (able := each.pop("capabilities", None)) is not None
            else None,
            **each,
        )
        for each in told
    )
