"""The blocks of a message that is streamed in Anthropic's dialect."""

from dataclasses import dataclass, replace
from typing import Any, Final

from flaskllm.llm.streams import Opening

# Blocks of any other type are calls, or what came of them.
JOINABLE: Final = frozenset({"text", "thinking", "redacted_thinking"})


@dataclass(slots=True)
class Block:
    """One block of content that has begun.

    `tool` is the call's place among the calls, None for all else; `input` the
    arguments that came with its start, for they may come at once.
    """

    tool: int | None = None
    is_json_answer: bool = False
    input: Any = None
    has_arguments: bool = False


class Beginning:
    """How a message began, and which of its blocks is open.

    Attributes:
        opening: None as long as no message has begun.
    """

    def __init__(self) -> None:
        """Start before the message."""
        self.opening: Opening | None = None

    def start(self, message_id: str, model: str) -> None:
        """Take note of the message."""
        self.opening = Opening(message_id, model)

    def open_block(self, index: int, kind: str) -> None:
        """Take note of a block that has begun."""
        if self.opening is not None:
            self.opening = replace(
                self.opening,
                block=index,
                next_block=max(self.opening.next_block, index + 1),
                is_thought=kind != "text",
            )

    def close_block(self) -> None:
        """Take note that no block is open."""
        if self.opening is not None:
            self.opening = replace(self.opening, block=None, is_thought=False)
