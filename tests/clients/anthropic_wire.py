"""The scripted model in Anthropic's dialect: requests read, answers written."""

import json
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from assistant import SIGNATURE, THOUGHT, Asked, Json, Said, ToolOffer, answer
from fakes import Step, json_reply
from stream_steps import event, sse

_ids = count(1)
_CHOICES = {"any": "required"}
_FORGED = {"type": "invalid_request_error", "message": "Invalid signature"}


def reply(body: Json) -> Step:
    """Answer `POST /v1/messages`."""
    if not _is_proven(body):
        return json_reply({"type": "error", "error": _FORGED}, 400)
    said = answer(read_messages(body))
    if body.get("stream"):
        return sse(stream_of(said, body["model"]))
    return json_reply({**_message(said, body["model"]), "content": blocks_of(said)})


def count_tokens(body: Json) -> Step:
    """Answer `POST /v1/messages/count_tokens`: four characters make a token."""
    return json_reply({"input_tokens": len(json.dumps(body)) // 4})


def stream_of(said: Said, model: str) -> list[bytes]:
    """Return the events of a message; calls come in fragments."""
    whole = _message(said, model)
    start = {**whole, "content": [], "stop_reason": None}
    end = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    events = [
        {"type": "message_start", "message": start},
        {"type": "ping"},
        *(
            told
            for index, block in enumerate(blocks_of(said))
            for told in _block_events(index, block, said)
        ),
        {"type": "message_delta", "delta": end, "usage": {"output_tokens": 9}},
        {"type": "message_stop"},
    ]
    return [event(each, str(each["type"])) for each in events]


def read_messages(body: Json) -> Asked:
    """Return what a request asks."""
    blocks = [(turn["role"], each) for turn in body["messages"] for each in _of(turn)]
    choice = body.get("tool_choice") or {}
    wanted = body.get("output_config", {}).get("format") or body.get("output_format")
    return Asked(
        text=[each["text"] for role, each in blocks if role == "user" and _says(each)][
            -1
        ],
        tools=[
            ToolOffer(each["name"], each["input_schema"])
            for each in body.get("tools") or ()
        ],
        choice=choice.get("name")
        or _CHOICES.get(choice.get("type"), choice.get("type", "auto")),
        called=frozenset(e["name"] for _, e in blocks if e["type"] == "tool_use"),
        results=list(_results(_of(body["messages"][-1]))),
        schema=wanted["schema"] if wanted else None,
        thinks=body.get("thinking", {}).get("type") == "enabled",
    )


def blocks_of(said: Said) -> list[dict[str, Any]]:
    """Return the content of a message."""
    blocks: list[dict[str, Any]] = []
    if said.thought:
        proof = {"signature": SIGNATURE}
        blocks.append({"type": "thinking", "thinking": said.thought, **proof})
    if said.text:
        blocks.append({"type": "text", "text": said.text})
    for name, given in said.calls:
        call = {"id": f"toolu_{next(_ids)}", "name": name, "input": given}
        blocks.append({"type": "tool_use", **call})
    return blocks


def _block_events(index: int, block: Json, said: Said) -> Iterator[Json]:
    empty = {"text": "", "thinking": "", "signature": "", "input": {}}
    start = {name: empty.get(name, value) for name, value in block.items()}
    yield {"type": "content_block_start", "index": index, "content_block": start}
    for delta in _deltas(block, said):
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def _deltas(block: Json, said: Said) -> Iterator[Json]:
    if block["type"] == "text":
        yield from ({"type": "text_delta", "text": piece} for piece in said.pieces)
    elif block["type"] == "thinking":
        yield {"type": "thinking_delta", "thinking": block["thinking"]}
        yield {"type": "signature_delta", "signature": block["signature"]}
    else:
        arguments = json.dumps(block["input"], ensure_ascii=False)
        half = len(arguments) // 2
        for part in ("", arguments[:half], arguments[half:]):
            yield {"type": "input_json_delta", "partial_json": part}


def _message(said: Said, model: str) -> dict[str, Any]:
    return {
        "id": "msg_fake",
        "type": "message",
        "role": "assistant",
        "model": model,
        "stop_reason": "tool_use" if said.calls else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 21, "output_tokens": 9},
    }


def _results(blocks: Sequence[Json]) -> Iterator[str]:
    for block in blocks:
        if block["type"] == "tool_result":
            said = block["content"]
            parts = said if isinstance(said, list) else [{"text": said}]
            yield "".join(part["text"] for part in parts)


def _of(turn: Json) -> Sequence[Json]:
    content = turn["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _is_proven(body: Json) -> bool:
    """Tell whether thoughts come back as they were told, and where they must.

    While a model thinks, the turn in which it called a tool begins with a thought.
    """
    turns = [_of(turn) for turn in body["messages"]]
    thoughts = [each for turn in turns for each in turn if each["type"] == "thinking"]
    thinks = body.get("thinking", {}).get("type") == "enabled"
    openings = [turn[0]["type"] for turn in turns if turn[-1]["type"] == "tool_use"]
    proof = {"type": "thinking", "thinking": THOUGHT, "signature": SIGNATURE}
    return all(thought == proof for thought in thoughts) and (
        not thinks or set(openings[-1:]) <= {"thinking"}
    )


def _says(block: Json) -> bool:
    return block["type"] == "text"
