"""A response as server-sent events, each named by its type."""

from collections.abc import Iterator

from flaskllm.api.openai.responses_events import Ended, ResponseEvents
from flaskllm.api.openai.responses_object import Json
from flaskllm.core import json_text
from flaskllm.core.errors import APIError
from flaskllm.core.sse import encode_event
from flaskllm.llm.streams import Chunk, Seam


class ResponsesEncoder:
    """Tells one response as server-sent events."""

    def __init__(self, events: ResponseEvents) -> None:
        """Start before the first chunk."""
        self._events = events

    def encode(self, chunk: Chunk) -> bytes:
        """Return the events that tell this chunk."""
        return _wire(self._events.tell(chunk))

    def resume(self, seam: Seam) -> None:
        """Go on where another deployment takes over."""
        self._events.resume(seam)

    def finish(self, answer: Ended) -> bytes:
        """Return the clean end."""
        return _wire(self._events.finish(answer))

    def fail(self, error: APIError) -> bytes:
        """Return the event that ends a response which broke off."""
        return _wire(self._events.fail(error))


def _wire(events: Iterator[Json]) -> bytes:
    return b"".join(
        encode_event(json_text.dump_line(event), name=event["type"]) for event in events
    )
