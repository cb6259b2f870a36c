"""Turns in OpenAI's dialect as a service takes them that speaks it with an accent."""

import re
from collections.abc import Callable
from functools import reduce
from hashlib import sha256
from typing import Any

from flaskllm.core.ids import to_base62
from flaskllm.llm.providers.compatible import Dialect

NAME_OF_A_MESSAGE = "messages[].name"

# Mistral answers 400 to any other id of a call, also to those that it did not give.
_SHORT_ID = re.compile(r"[a-zA-Z0-9]{9}")
_SHORT_CHARACTERS = 9

_Turn = dict[str, Any]


def adapted(turns: Any, dialect: Dialect) -> Any:
    """Return the turns as the service takes them, the given ones where it takes all.

    What is no turn stays as it is: the service will say what is wrong.
    """
    edits = [edit for is_needed, edit in _EDITS if is_needed(dialect)]
    if not edits or not isinstance(turns, list):
        return turns
    return [
        reduce(lambda said, edit: edit(said), edits, turn)
        if isinstance(turn, dict)
        else turn
        for turn in turns
    ]


def names_one(turns: Any) -> bool:
    """Tell whether somebody who speaks has a name."""
    listed = turns if isinstance(turns, list) else []
    return any(isinstance(turn, dict) and "name" in turn for turn in listed)


def _nameless(turn: _Turn) -> _Turn:
    return {name: value for name, value in turn.items() if name != "name"}


def _with_system(turn: _Turn) -> _Turn:
    """Return the turn; the developer's is a system's, as it is called elsewhere."""
    return {**turn, "role": "system"} if turn.get("role") == "developer" else turn


def _with_short_ids(turn: _Turn) -> _Turn:
    """Return the turn with ids that are taken, the same for a call and its result."""
    result, calls = turn.get("tool_call_id"), turn.get("tool_calls")
    if isinstance(result, str):
        turn = {**turn, "tool_call_id": _short(result)}
    if isinstance(calls, list):
        turn = {**turn, "tool_calls": [_with_short_id(call) for call in calls]}
    return turn


def _with_short_id(call: Any) -> Any:
    has_id = isinstance(call, dict) and isinstance(call.get("id"), str)
    return {**call, "id": _short(call["id"])} if has_id else call


def _short(identity: str) -> str:
    if _SHORT_ID.fullmatch(identity):
        return identity
    number = int.from_bytes(sha256(identity.encode("utf-8", "replace")).digest())
    return to_base62(number % 62**_SHORT_CHARACTERS, _SHORT_CHARACTERS)


_EDITS: tuple[tuple[Callable[[Dialect], bool], Callable[[_Turn], _Turn]], ...] = (
    (lambda dialect: NAME_OF_A_MESSAGE in dialect.drops, _nameless),
    (lambda dialect: not dialect.knows_developer, _with_system),
    (lambda dialect: dialect.short_call_ids, _with_short_ids),
)
