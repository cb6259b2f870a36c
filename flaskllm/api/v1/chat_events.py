"""What is told of a streamed answer: `token`, `done` or `error`, each with a number.

By SSE an event has a name, an id and JSON for data; on a WebSocket all three are
one JSON object.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flaskllm.api.errors import body_of
from flaskllm.api.replies import rescue_of
from flaskllm.core import ids
from flaskllm.core.errors import APIError
from flaskllm.core.json_text import dump_line
from flaskllm.core.money import dollars
from flaskllm.core.sse import encode_event
from flaskllm.llm.streaming import StreamAnswer
from flaskllm.llm.streams import Chunk, Seam
from flaskllm.llm.types import Usage
from flaskllm.services.accounts import Account

TOKEN: Final = "token"
DONE: Final = "done"
ERROR: Final = "error"


def new_message_id() -> str:
    """Return a fresh id for an answer."""
    return ids.new_id("msg")


def usage_of(usage: Usage) -> dict[str, object]:
    """Return what was used, in the form of every answer of `/api/v1`."""
    return {
        "tokens_input": usage.tokens_input,
        "tokens_output": usage.tokens_output,
        "source": usage.source,
    }


def dropped_warnings(dropped: Sequence[str]) -> list[str]:
    """Return one warning for each field that the model's service cannot be told."""
    return [f"dropped_field: {name}" for name in dropped]


def words_of(chunk: Chunk) -> str:
    """Return what a chunk says to the caller; a refusal is said in words too."""
    return chunk.text or chunk.refusal


def done_of(
    answer: StreamAnswer,
    message_id: str,
    warnings: Sequence[str],
    seam: Seam | None,
    cost_nanos: int | None,
) -> dict[str, object]:
    """Return what is told when the upstream finished, with the seam if there is one."""
    meta = {} if seam is None else {"meta": {"rescue": rescue_of(seam)}}
    return {
        "message_id": message_id,
        "conversation_id": None,
        "model": answer.model,
        "finish_reason": answer.finish_reason,
        "usage": usage_of(answer.usage),
        "cost": dollars(cost_nanos),
        "cached": answer.usage.source == "cached",
        "warnings": [*warnings, *dropped_warnings(answer.dropped)],
        **meta,
    }


@dataclass(slots=True)
class ChatEncoder:
    """Tells one answer by SSE; the ids count from 1."""

    warnings: tuple[str, ...]
    message_id: str
    account: Account
    number: int = 0
    seam: Seam | None = None

    def encode(self, chunk: Chunk) -> bytes:
        """Return a `token` event, or nothing for a chunk without words."""
        words = words_of(chunk)
        return self._event(TOKEN, {"text": words}) if words else b""

    def resume(self, seam: Seam) -> None:
        """Go on where another deployment takes over."""
        self.seam = seam

    def finish(self, answer: StreamAnswer) -> bytes:
        """Return the `done` event."""
        done = done_of(
            answer,
            self.message_id,
            self.warnings,
            self.seam,
            self.account.cost_nanos,
        )
        return self._event(DONE, done)

    def fail(self, error: APIError) -> bytes:
        """Return the `error` event."""
        return self._event(ERROR, body_of(error))

    def _event(self, name: str, data: Mapping[str, Any]) -> bytes:
        self.number += 1
        return encode_event(dump_line(data), name=name, id=self.number)
