"""How long a stream may go on once its server is to stop."""

from collections.abc import Callable

from flaskllm.core.clock import Clock, Deadline
from flaskllm.core.errors import ServiceUnavailable

# A server that stops cuts off what is not done after its grace, for gunicorn 60 s;
# and up to a ping's time may go by before a stream sees that it stops, and that it
# has to end.
_DRAIN_SECONDS = 45.0


class Drain:
    """The time that one stream has left, from when the server begins to stop."""

    def __init__(self, is_stopping: Callable[[], bool], clock: Clock) -> None:
        """Start while nobody stops; `is_stopping` tells whether the server does."""
        self._is_stopping = is_stopping
        self._clock = clock
        self._until: Deadline | None = None

    def check(self) -> None:
        """Return while the stream may go on; else raise ServiceUnavailable."""
        if not self._is_stopping():
            return
        if self._until is None:
            self._until = Deadline.after(_DRAIN_SECONDS, self._clock)
        elif self._until.passed():
            raise ServiceUnavailable(details="The server is about to restart.")
