"""Error replies of Ollama, told apart: `{"error": "text"}`, also within a stream.

The texts are those of the server's sources (server/routes.go, llm/llama_server.go).
Nothing of them goes into an error.
"""

import re
from datetime import datetime

from flaskllm.core.errors import (
    LLMAPIError,
    LLMContextTooLong,
    LLMRequestRejected,
    LLMUnavailable,
)
from flaskllm.llm.providers import openai_errors
from flaskllm.net.transport import HttpReply

_LONGEST_TEXT = 4000

# With `shift` off, with `truncate` off, for embeddings; the second one quotes what
# the llama.cpp server said, JSON within the text.
_TOO_LONG = re.compile(
    rb"prompt is longer than the context length"
    rb"|exceed_context_size_error"
    rb"|input length exceeds"
    rb"|exceeds the (available|maximum|model's) context",
    re.IGNORECASE,
)
_LACKING = re.compile(
    rb"does not support (tools|thinking|chat|generate|embeddings|images|insert)"
    rb"|(missing|does not have) .{0,40}(vision|image|multimodal)"
    rb"|think value .{0,40}not supported",
    re.IGNORECASE,
)
# It may fit once other models are unloaded.
_NO_ROOM = re.compile(
    rb"requires more system memory|server busy|runner process has terminated"
    rb"|loading model|out of memory",
    re.IGNORECASE,
)


def explain(reply: HttpReply, now: datetime) -> LLMAPIError:
    """Return the error that a reply stands for: its own words first, then its status.

    Args:
        reply: With any status.
        now: Aware; to read a date in `Retry-After`.
    """
    said = f"The upstream answered with status {reply.status}."
    text = reply.body[:_LONGEST_TEXT]
    if reply.status < 400 or not text.lstrip().startswith(b"{"):
        return openai_errors.explain(reply, now)
    if _TOO_LONG.search(text):
        return LLMContextTooLong(details=f"{said} Shorten the input.")
    if _LACKING.search(text):
        return LLMRequestRejected(
            details=f"{said} The model lacks what was asked of it: list the "
            "deployment's capabilities."
        )
    if _NO_ROOM.search(text):
        return LLMUnavailable(details=f"{said} The model could not be loaded.")
    return openai_errors.explain(reply, now)
