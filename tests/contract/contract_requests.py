"""What the contract asks every provider, in the canonical form."""

from dataclasses import replace

from flaskllm.llm.parts import Image, Message, Text, ToolCall, ToolResult
from flaskllm.llm.types import (
    CompletionRequest,
    Deployment,
    EmbeddingRequest,
    JsonFormat,
    Tool,
)

MODEL = "model-1"
QUESTION = "When is the launch?"
PIXEL = "iVBORw0KGgo="  # the first bytes of a PNG: nobody looks at them here
SCHEMA = {
    "type": "object",
    "properties": {"day": {"type": "string"}},
    "required": ["day"],
    "additionalProperties": False,
}

CHAT = CompletionRequest(
    "fast",
    (Message("system", "Be brief."), Message("user", QUESTION)),
    max_output_tokens=256,
    temperature=0.5,
)
ASKS = {
    "chat": CHAT,
    "plain": CompletionRequest("fast", (Message("user", QUESTION),)),
    "json": replace(CHAT, json_format=JsonFormat(SCHEMA, "launch", strict=True)),
    "image": replace(
        CHAT,
        messages=(
            Message(
                "user",
                (Text("What is this?"), Image(data=PIXEL, media_type="image/png")),
            ),
        ),
    ),
    "tools": replace(
        CHAT,
        tools=(Tool("find_day", "Looks a day up.", SCHEMA),),
        tool_choice="auto",
    ),
    "tool_results": replace(
        CHAT,
        messages=(
            Message("user", QUESTION),
            Message(
                "assistant",
                (
                    Text("Let me look."),
                    ToolCall("call_1", "find_day", '{"day": "friday"}'),
                    ToolCall("call_2", "find_day", '{"day": "monday"}'),
                ),
            ),
            Message(
                "tool",
                (
                    ToolResult("call_1", (Text("the 9th"),)),
                    ToolResult("call_2", (Text("the 12th"),)),
                ),
            ),
        ),
        tools=(Tool("find_day", "Looks a day up.", SCHEMA),),
    ),
}
EMBEDDING = EmbeddingRequest("fast", ("one", "two"))


def deployment(kind: str) -> Deployment:
    """Return a deployment of a kind, of which nothing is known."""
    return Deployment("a", "p", kind, MODEL)
