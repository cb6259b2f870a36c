"""For programs: `{"type", "timestamp", "data"}`, as Standard Webhooks has it."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from flaskllm.core.json_text import dump
from flaskllm.services.callbacks.events import Event, moment

MOST_BYTES: Final = 20_000
"""A body stays below; Standard Webhooks advises it."""

_Data = Mapping[str, Any]


def render(event: Event) -> bytes:
    """Return the body: the whole event where it fits.

    Otherwise `result` is null, of a batch that of every item, and `location` says
    where it is; where that is not enough `items` is null too.
    """
    for shorten in _STEPS:
        data = shorten(event.data)
        body = dump({"type": event.type, "timestamp": moment(event.at), "data": data})
        if len(body) < MOST_BYTES:
            break
    return body


def _whole(data: _Data) -> _Data:
    return data


def _without_results(data: _Data) -> _Data:
    shorter = {**data}
    if "result" in data:
        shorter["result"] = None
    if "items" in data:
        shorter["items"] = [{**item, "result": None} for item in data["items"]]
    return shorter


def _without_items(data: _Data) -> _Data:
    shorter = {**_without_results(data)}
    if "items" in data:
        shorter["items"] = None
    return shorter


_STEPS: tuple[Callable[[_Data], _Data], ...] = (
    _whole,
    _without_results,
    _without_items,
)
