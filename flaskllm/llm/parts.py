"""What a conversation with a model is made of, in the canonical form."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

MessageRole = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class Text:
    """Words."""

    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture: an address that the upstream fetches, or its bytes in base64.

    `url` is https and is never fetched by us. `data` goes with `media_type`
    (`image/png`). `detail` is OpenAI's `low`, `high` or `auto`.
    """

    url: str | None = None
    data: str | None = None
    media_type: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What the model wants called. `arguments` is JSON text as the model wrote it.

    `signature` is the upstream's proof of its thoughts (Gemini), to be sent back
    untouched.
    """

    id: str
    name: str
    arguments: str
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came of a call, for the `ToolCall` with this id."""

    call_id: str
    content: "tuple[Text | Image, ...]"
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Thinking:
    """What the model thought before it spoke.

    `signature` proves to its upstream that nobody changed it; `redacted` is what
    an upstream sends in the place of thoughts that it does not show. Both go
    back untouched.
    """

    text: str = ""
    signature: str | None = None
    redacted: str | None = None


Part: TypeAlias = Text | Image | ToolCall | ToolResult | Thinking


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of the conversation with the model.

    A plain text stands for one `Text`. Results of tools are parts of a turn of
    the role `tool`; `ToolCall` and `Thinking` are parts of an assistant's turn.
    """

    role: MessageRole
    content: "str | tuple[Part, ...]"

    @property
    def parts(self) -> "tuple[Part, ...]":
        """Return the content as parts."""
        return (Text(self.content),) if isinstance(self.content, str) else self.content

    @property
    def text(self) -> str:
        """Return the words of the turn alone, its `Text` parts put together."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content if isinstance(part, Text))
