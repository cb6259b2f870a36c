"""From a request in Anthropic's dialect to the canonical form."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from flaskllm.api.anthropic.blocks import read_messages, read_system
from flaskllm.api.anthropic.fields import CountFields, ToolChoice
from flaskllm.api.anthropic.findings import Findings
from flaskllm.api.anthropic.tools import read_tools
from flaskllm.api.schemas import check_schema
from flaskllm.core.errors import (
    Field,
    InvalidInputError,
    LLMInvalidRequest,
    LLMRequestRejected,
)
from flaskllm.llm.types import (
    Attempt,
    Call,
    CallerBody,
    CompletionRequest,
    JsonFormat,
    Tool,
)

# The kinds of provider that are handed the caller's own body.
_SPEAK_IT = frozenset({"anthropic"})

# Fields without which an answer would be another one, not only a dearer or a
# slower one: state on Anthropic's side, and servers that it asks.
_ESSENTIAL = frozenset({"container", "mcp_servers"})
_TOOL_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


@dataclass(frozen=True, slots=True)
class Order:
    """A request, and what of it only Anthropic's own service understands."""

    request: CompletionRequest
    essential: tuple[Field, ...] = ()

    def only_where_understood(self, call: Call) -> Call:
        """Return the call, which passes over deployments that would lose content.

        Before an attempt at a deployment of another dialect it raises
        LLMRequestRejected, after which the next deployment is asked.
        """
        if not self.essential:
            return call

        def before(attempt: Attempt) -> None:
            if attempt.deployment.kind not in _SPEAK_IT:
                raise LLMRequestRejected(fields=self.essential)
            call.before(attempt)

        return replace(call, before=before)

    @contextmanager
    def telling_what_is_lost(self) -> Iterator[None]:
        """Tell the caller which block or tool no deployment understood.

        Raises:
            LLMInvalidRequest: Each deployment was passed over.
        """
        try:
            yield
        except LLMRequestRejected as error:
            if not self.essential or error.fields != self.essential:
                raise
            problems = "; ".join(f"{f.path}: {f.problem}" for f in self.essential)
            raise LLMInvalidRequest(
                "The model cannot read a part of the request.",
                details=f"{problems}; allowed: {self.essential[0].allowed}.",
                fields=self.essential,
            ) from error


def read_order(
    fields: Mapping[str, Any],
    given: CountFields,
    headers: Mapping[str, str],
    *,
    direct: bool,
) -> Order:
    """Return what the caller asks.

    Args:
        fields: The body as it came.
        given: The same, checked.
        headers: What is passed on to Anthropic's own service.
        direct: Whether the caller may name `provider/model`.

    Raises:
        InvalidInputError: A message, a block or a tool is wrong.
    """
    found = Findings()
    messages = (
        *read_system(given.system, found),
        *read_messages(given.messages, found),
    )
    tools = read_tools(given.tools or (), found)
    _check_choice(given.tool_choice, tools, found)
    _find_unknown(given, found)
    request = CompletionRequest(
        model=given.model,
        messages=messages,
        max_output_tokens=given.max_tokens,
        temperature=given.temperature,
        top_p=given.top_p,
        top_k=given.top_k,
        stop=tuple(given.stop_sequences or ()),
        tools=tools,
        user=given.metadata.user_id if given.metadata else None,
        stream=bool(given.stream),
        direct=direct,
        **_wishes(given),
    )
    body = CallerBody("anthropic.messages", fields, tuple(found.extras), headers)
    return Order(replace(request, body=body), tuple(found.essential))


def _check_choice(
    choice: ToolChoice | None, tools: tuple[Tool, ...], found: Findings
) -> None:
    """Refuse the choice of a tool that is not there."""
    if choice is None or choice.type != "tool" or found.essential:
        return
    if all(tool.name != choice.name for tool in tools):
        raise InvalidInputError.of(
            "tool_choice.name", "is not among the tools", "the name of a tool"
        )


def _wishes(given: CountFields) -> dict[str, Any]:
    """Return how tools, thoughts and JSON are asked for."""
    wishes: dict[str, Any] = {}
    choice, thinking, output = given.tool_choice, given.thinking, given.output_config
    if choice:
        wishes["tool_choice"] = _TOOL_CHOICES.get(choice.type, choice.name)
        if choice.disable_parallel_tool_use is not None:
            wishes["parallel_tools"] = not choice.disable_parallel_tool_use
    if thinking and thinking.type != "adaptive":
        is_off = thinking.type == "disabled"
        wishes["thinking_tokens"] = 0 if is_off else thinking.budget_tokens
    if output and output.effort:
        wishes["effort"] = output.effort
    for path, wanted in (
        ("output_format", given.output_format),
        ("output_config.format", output.format if output else None),
    ):
        if wanted:
            check_schema(wanted.schema_, f"{path}.schema")
            wishes["json_format"] = JsonFormat(wanted.schema_)
    return wishes


def _find_unknown(given: CountFields, found: Findings) -> None:
    unknown = given.unknown.keys()
    found.drop(unknown - _ESSENTIAL)
    for name in sorted(unknown & _ESSENTIAL):
        found.need(name, "this field")
    if given.thinking and given.thinking.type == "adaptive":
        # How much is for the model to choose; the canonical form says a number.
        found.drop({"thinking"})
