"""The upstream behind the clients: it answers by path and by the model's name.

A model whose name begins with one of `_MOODS` behaves so; every other one answers.
Each client brings names of its own, so nobody counts another's requests.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import anthropic_wire
import openai_wire
from assistant import Asked, Json, Said, answer
from fakes import Received, Step, json_reply, status
from stream_steps import reset_after_bytes

LIMITED_REQUESTS = 3
"""So many requests a limited model refuses: as many as the gateway makes for one."""

_SOON = {"retry-after": "1", "retry-after-ms": "100"}
_LONG_TEXT = "This answer is long enough to be cut in two. " * 4


class ScriptedModels:
    """Decides what each request is answered with; give it to `answer_with`."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()

    def __call__(self, request: Received) -> Step:
        """Return the answer to a request."""
        dialect = _DIALECTS.get(request.path)
        if dialect is None:  # the gateway looks who is there
            return status(404)
        body = request.json
        model = body["model"]
        mood = _MOODS.get(re.split("[@-]", model)[0])
        self._asked[model] += 1  # nobody asks a model that counts twice at once
        if mood is not None:
            return mood(self._asked[model], body, dialect)
        return dialect.answer(body)


@dataclass(frozen=True)
class _Dialect:
    """How a path answers, tells an error and streams."""

    answer: Callable[[Json], Step]
    error: Callable[[str, str], Json]
    read: Callable[[Json], Asked] | None = None
    stream: Callable[[Said, str], list[bytes]] | None = None


def _openai_error(kind: str, message: str) -> Json:
    told = {"message": message, "type": "invalid_request_error", "code": kind}
    return {"error": {**told, "param": None}}


def _anthropic_error(kind: str, message: str) -> Json:
    return {"type": "error", "error": {"type": kind, "message": message}}


def _cut(_times: int, body: Json, dialect: _Dialect) -> Step:
    """Reset the connection in the middle of a stream."""
    events = dialect.stream(Said(_LONG_TEXT), body["model"])
    return reset_after_bytes(events, sum(map(len, events)) // 2)


def _limited(times: int, body: Json, dialect: _Dialect) -> Step:
    """Refuse the first requests, then answer."""
    if times > LIMITED_REQUESTS:
        return dialect.answer(body)
    error = dialect.error("rate_limit_exceeded", "Slow down.")
    return json_reply(error, 429, _SOON)


def _locked(_times: int, _body: Json, dialect: _Dialect) -> Step:
    """Say that the gateway's credential is not good."""
    return json_reply(dialect.error("invalid_api_key", "Who are you?"), 401)


def _loaded(_times: int, _body: Json, dialect: _Dialect) -> Step:
    """Be out of order."""
    return json_reply(dialect.error("overloaded_error", "Come back later."), 503)


def _long(_times: int, _body: Json, dialect: _Dialect) -> Step:
    """Find the input too long."""
    message = "prompt is too long: 9 tokens > 8 maximum"
    return json_reply(dialect.error("context_length_exceeded", message), 400)


def _torn(_times: int, body: Json, dialect: _Dialect) -> Step:
    """Reset the connection when two thirds of what others would say too are told."""
    events = dialect.stream(answer(dialect.read(body)), body["model"])
    return reset_after_bytes(events, sum(map(len, events)) * 2 // 3)


_MOODS: dict[str, Callable[[int, Json, _Dialect], Step]] = {
    "cut": _cut,
    "limited": _limited,
    "loaded": _loaded,
    "locked": _locked,
    "long": _long,
    "torn": _torn,
}
_CHAT = _Dialect(
    openai_wire.complete, _openai_error, openai_wire.read_chat, openai_wire.stream_of
)
_DIALECTS: dict[str, _Dialect] = {
    "/open/chat/completions": _CHAT,
    "/open/completions": _Dialect(openai_wire.continue_text, _openai_error),
    "/open/embeddings": _Dialect(openai_wire.embed, _openai_error),
    "/claude/v1/messages": _Dialect(
        anthropic_wire.reply,
        _anthropic_error,
        anthropic_wire.read_messages,
        anthropic_wire.stream_of,
    ),
    "/claude/v1/messages/count_tokens": _Dialect(
        anthropic_wire.count_tokens, _anthropic_error
    ),
}
