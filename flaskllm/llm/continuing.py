"""How a model is asked for the rest of an answer that was cut off: by instruction."""

from dataclasses import replace

from flaskllm.llm.parts import Message, Text
from flaskllm.llm.token_weights import Family
from flaskllm.llm.tokens import CAREFUL, estimate
from flaskllm.llm.types import CompletionRequest

INSTRUCTION = (
    "Your last answer was cut off. Continue it exactly where it stopped: begin with "
    "the very next character (a space, if one comes next), even in the middle of a "
    "word or a sentence. Do not repeat anything of it, do not comment, do not "
    "apologise, and keep its language and its format."
)


def may_continue(request: CompletionRequest, shown: str) -> bool:
    """Tell whether a model can be asked for the rest of an answer.

    Not where no words were shown; nor where the answer is to be JSON or the call of
    a tool: a model that is held to such a form begins anew.
    """
    is_free = request.tool_choice in (None, "auto", "none")
    is_json = bool(request.json_schema or request.json_format)
    return bool(shown.strip()) and is_free and not is_json


def continuing(
    request: CompletionRequest, shown: str, family: Family = CAREFUL
) -> CompletionRequest:
    """Return the request for the rest of an answer, in the canonical form.

    What was shown stands as the assistant's turn, and a user's turn asks to go on. A
    conversation that ends in an assistant's turn (prefill) would be shorter, but is
    refused with status 400 by Claude from 4.6 on, and nowhere a promise of OpenAI's
    dialect; source:
    https://platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-6#prefill-removal

    Args:
        request: The one whose answer was cut off.
        shown: Its text so far.
        family: Whose tokens to count with, see `tokens.estimate`: what was shown
            counts against `max_output_tokens`.
    """
    *before, last = request.messages
    if last.role == "assistant":  # the answer goes on with the caller's own words
        said = Message("assistant", (*last.parts, Text(shown)))
    else:
        before, said = [*before, last], Message("assistant", shown)
    most = request.max_output_tokens
    left = None if most is None else max(1, most - estimate(shown, family))
    return replace(
        request,
        messages=(*before, said, Message("user", INSTRUCTION)),
        max_output_tokens=left,
        body=None,
    )
