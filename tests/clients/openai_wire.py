"""The scripted model in OpenAI's dialect: requests read, answers written."""

import base64
import json
import struct
from collections.abc import Iterator
from itertools import count
from typing import Any

from assistant import Asked, Json, Said, ToolOffer, answer
from fakes import Step, json_reply
from stream_steps import DONE, event, sse

_ids = count(1)


def complete(body: Json) -> Step:
    """Answer `POST /chat/completions`."""
    said = answer(read_chat(body))
    if body.get("stream"):
        return sse(stream_of(said, body["model"]))
    message: dict[str, Any] = {"role": "assistant", "content": said.text or None}
    if said.calls:
        message["tool_calls"] = [_call(name, given) for name, given in said.calls]
    return json_reply(
        {
            "id": "chatcmpl-fake",
            "object": "chat.completion",
            "created": 1767603600,
            "model": body["model"],
            "choices": [
                {"index": 0, "message": message, "finish_reason": _reason(said)}
            ],
            "usage": _usage(said),
        }
    )


def stream_of(said: Said, model: str) -> list[bytes]:
    """Return the events of a chat completion; calls come in fragments."""
    shared = {
        "id": "chatcmpl-fake",
        "object": "chat.completion.chunk",
        "created": 1767603600,
        "model": model,
    }

    def told(delta: Json, reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return event({**shared, "choices": [choice]})

    return [
        told({"role": "assistant", "content": ""}),
        *(told({"content": piece}) for piece in said.pieces),
        *(told({"tool_calls": [each]}) for each in _fragments(said)),
        told({}, _reason(said)),
        event({**shared, "choices": [], "usage": _usage(said)}),
        DONE,
    ]


def continue_text(body: Json) -> Step:
    """Answer `POST /completions` with a word for each prompt."""
    prompts = body["prompt"] if isinstance(body["prompt"], list) else [body["prompt"]]
    shared = {"id": "cmpl-fake", "created": 1767603600, "model": body["model"]}
    choices = [
        {"index": at, "text": f" and so on: {prompt}", "finish_reason": "stop"}
        for at, prompt in enumerate(prompts)
    ]
    shared |= {"object": "text_completion"}
    usage = _usage(Said())
    if not body.get("stream"):
        return json_reply({**shared, "choices": choices, "usage": usage})
    return sse(
        [
            *(event({**shared, "choices": [each]}) for each in choices),
            event({**shared, "choices": [], "usage": usage}),
            DONE,
        ]
    )


def embed(body: Json) -> Step:
    """Answer `POST /embeddings`: a vector says how long its input is."""
    given = body["input"]
    inputs = given if isinstance(given, list) else [given]
    inputs = [inputs] if isinstance(inputs[0], int) else inputs
    vectors = [[float(len(each)), -0.5, 0.25] for each in inputs]
    packed = body.get("encoding_format") == "base64"
    data = [
        {
            "object": "embedding",
            "index": at,
            "embedding": _packed(vector) if packed else vector,
        }
        for at, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": 4 * len(inputs), "total_tokens": 4 * len(inputs)}
    return json_reply(
        {"object": "list", "data": data, "model": body["model"], "usage": usage}
    )


def read_chat(body: Json) -> Asked:
    """Return what a chat asks."""
    turns = body["messages"]
    wanted = body.get("response_format") or {}
    schema = wanted.get("json_schema", {}).get("schema")
    choice = body.get("tool_choice") or "auto"
    calls = [call for turn in turns for call in turn.get("tool_calls") or ()]
    return Asked(
        text=[_text(turn["content"]) for turn in turns if turn["role"] == "user"][-1],
        tools=[
            ToolOffer(each["function"]["name"], each["function"]["parameters"])
            for each in body.get("tools") or ()
        ],
        choice=choice if isinstance(choice, str) else choice["function"]["name"],
        called=frozenset(call["function"]["name"] for call in calls),
        results=list(_results(turns)),
        schema=schema,
    )


def _results(turns: list[Json]) -> Iterator[str]:
    """Give what the tools said after the last turn of anybody else."""
    speakers = [at for at, turn in enumerate(turns) if turn["role"] != "tool"]
    for turn in turns[max(speakers) + 1 :]:
        yield _text(turn["content"])


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", f"[{part['type']}]") for part in content)


def _call(name: str, given: Json) -> dict[str, Any]:
    arguments = json.dumps(given, ensure_ascii=False)
    return {
        "id": f"call_{next(_ids)}",
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def _fragments(said: Said) -> Iterator[Json]:
    """Give id, type and name first, then the arguments in two halves."""
    for index, (name, given) in enumerate(said.calls):
        call = _call(name, given)
        arguments = call["function"]["arguments"]
        half = len(arguments) // 2
        yield {**call, "index": index, "function": {"name": name, "arguments": ""}}
        for part in (arguments[:half], arguments[half:]):
            yield {"index": index, "function": {"arguments": part}}


def _reason(said: Said) -> str:
    return "tool_calls" if said.calls else "stop"


def _usage(said: Said) -> Json:
    written = max(1, len(said.pieces))
    return {
        "prompt_tokens": 12,
        "completion_tokens": written,
        "total_tokens": 12 + written,
    }


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
