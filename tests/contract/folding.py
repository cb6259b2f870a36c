"""A stream's chunks put together again to the completion that they are pieces of."""

from dataclasses import replace

from flaskllm.llm.parts import Thinking, ToolCall
from flaskllm.llm.types import Completion, Usage


def read_whole(reader, data, size=None):
    """Feed the data in pieces of `size` bytes, then end; return all pieces."""
    step = size or len(data)
    pieces = []
    for start in range(0, len(data), step):
        pieces += reader.feed(data[start : start + step])
        if reader.broken:
            raise reader.broken
    return [*pieces, *reader.end()]


def fold(chunks):
    """Return the completion that the chunks tell."""
    thoughts, calls = [], []
    text = refusal = model = ""
    finish_reason = stop_sequence = None
    usage = Usage()
    for chunk in chunks:
        text += chunk.text
        refusal += chunk.refusal
        model = model or chunk.model
        _fold_thought(thoughts, chunk)
        if chunk.tool:
            _fold_fragment(calls, chunk.tool)
        if chunk.finish_reason:
            assert finish_reason is None, "the finish is told once"
            finish_reason = chunk.finish_reason
        stop_sequence = chunk.stop_sequence or stop_sequence
        usage = chunk.usage or usage
    return Completion(
        text=text,
        finish_reason=finish_reason,
        usage=usage,
        model=model,
        tool_calls=tuple(calls),
        thinking=tuple(Thinking(*thought) for thought in thoughts),
        stop_sequence=stop_sequence,
        refusal=refusal or None,
    )


def _fold_thought(thoughts, chunk):
    """Add to the open thought; a signature or a redacted block closes one."""
    if chunk.thinking_redacted:
        thoughts.append(["", None, chunk.thinking_redacted])
    if chunk.thinking:
        if not thoughts or thoughts[-1][1:] != [None, None]:
            thoughts.append(["", None, None])
        thoughts[-1][0] += chunk.thinking
    if chunk.thinking_signature:
        if not thoughts or thoughts[-1][1:] != [None, None]:
            thoughts.append(["", None, None])
        thoughts[-1][1] = chunk.thinking_signature


def _fold_fragment(calls, fragment):
    if fragment.index == len(calls):
        assert fragment.id, "the first fragment holds the id"
        assert fragment.name, "the first fragment holds the name"
        calls.append(ToolCall(fragment.id, fragment.name, "", fragment.signature))
    else:
        assert not fragment.id + fragment.name, "id and name come once"
    call = calls[fragment.index]
    calls[fragment.index] = replace(call, arguments=call.arguments + fragment.arguments)


def forget_ids(completion, means):
    """Put `*` in the place of ids that a recording leaves open."""
    open_ids = [call["id"] == "*" for call in means.get("tool_calls", ())]
    if len(open_ids) != len(completion.tool_calls):
        return completion
    for call, is_open in zip(completion.tool_calls, open_ids, strict=True):
        assert not is_open or call.id, "an id that the upstream left out is made up"
    calls = tuple(
        replace(call, id="*") if is_open else call
        for call, is_open in zip(completion.tool_calls, open_ids, strict=True)
    )
    return replace(completion, tool_calls=calls)
