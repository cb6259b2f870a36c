"""What one request waits on: the upstream, its caller and the clock, together.

A read time-out of a socket starts anew with every byte, so an upstream that
drips can hold a thread for ever; and a caller who hangs up is seen only by
somebody who looks. A `Watch` therefore polls both sockets against one moment.
"""

import math
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from flaskllm.core.clock import Deadline
from flaskllm.core.errors import (
    APIError,
    CallerGone,
    LLMProtocolError,
    LLMTimeout,
    LLMUnavailable,
)

# The sockets find their request here: urllib3 stands between it and them.
_CURRENT: ContextVar["Watch"] = ContextVar("watch")

# poll() takes milliseconds in a C int; a longer wait is a loop of these.
_LONGEST_POLL_SECONDS = 60.0
# An idle connection that its peer has given up fails within a round trip; one that
# fails later may have carried a request that the peer has begun to work on.
_STALE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Limit:
    """A moment, and what it means that it has passed."""

    deadline: Deadline
    error: type[APIError]
    details: str

    def earlier(self, other: "Limit") -> "Limit":
        """Return the one that passes first."""
        return min(self, other, key=lambda limit: limit.deadline.at_seconds)


class Watch:
    """The waiting of one request.

    The limit in force depends on how far the request has come: while it
    connects, the connect time-out; until the first byte of the reply, the
    first-byte time-out; and always the deadline.

    Attributes:
        may_reuse: Whether an idle connection of the pool will do.
    """

    def __init__(
        self,
        deadline: Deadline,
        caller: socket.socket | None,
        *,
        connect_seconds: float,
        first_byte_seconds: float | None,
        most_bytes: int,
    ) -> None:
        """Start to count; the first-byte time-out runs from now.

        Args:
            deadline: When all must be over.
            caller: Who waits for the answer, or None when nobody can be seen.
            connect_seconds: For TCP, proxy and TLS together. The name look-up
                counts too, but nothing can interrupt it: the limit is seen
                only once the system has answered.
            first_byte_seconds: None leaves it to the deadline.
            most_bytes: More than this on the wire is a protocol error.
        """
        self.may_reuse = True
        self._reused_at_seconds: float | None = None
        self._received_bytes = 0
        self._caller = caller
        self._connect_seconds = connect_seconds
        self._most_bytes = most_bytes
        self._connecting: Limit | None = None
        self._reads_head = False
        self._whole = Limit(
            deadline, LLMTimeout, "the answer was not complete by the deadline"
        )
        self._first_byte = self._whole
        if first_byte_seconds is not None:
            self._first_byte = self._after(
                first_byte_seconds, LLMTimeout, "no answer began within {:g} s"
            )

    @contextmanager
    def active(self) -> Iterator[None]:
        """Make the sockets that this thread uses inside wait on this watch."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    @property
    def has_reply(self) -> bool:
        """Tell whether the upstream itself has said anything yet."""
        return self._connecting is None and self._received_bytes > 0

    def take(self, *, is_idle: bool) -> None:
        """Note that a connection was taken now, an idle one or one to be made."""
        now_seconds = self._whole.deadline.clock.monotonic()
        self._reused_at_seconds = now_seconds if is_idle else None

    def is_stale(self) -> bool:
        """Tell whether a failure now shows that an idle connection was dead.

        Its peer has said nothing, and cannot have worked for long.
        """
        if self._reused_at_seconds is None or self.has_reply:
            return False
        now_seconds = self._whole.deadline.clock.monotonic()
        return now_seconds - self._reused_at_seconds < _STALE_SECONDS

    @contextmanager
    def connecting(self) -> Iterator[None]:
        """Apply the connect time-out inside; what is read there is no reply.

        When it fails the request is over, so the state is left as it was.
        """
        self._connecting = self._after(
            self._connect_seconds, LLMUnavailable, "no connection within {:g} s"
        )
        yield
        self._connecting = None
        self._received_bytes = 0

    @contextmanager
    def reading_head(self) -> Iterator[None]:
        """Take the end of the stream for an error inside.

        `http.client` takes it for the end of the headers, and a cut answer for
        a whole one.
        """
        self._reads_head = True
        yield
        self._reads_head = False

    def limit(self) -> Limit:
        """Return the limit that is in force now."""
        if self._connecting is not None:
            return self._connecting
        return self._whole if self._received_bytes else self._first_byte

    def check(self) -> None:
        """Return when there is time left and somebody waits.

        Raises:
            LLMTimeout: The deadline or the first-byte time-out has passed.
            LLMUnavailable: The connect time-out has passed.
            CallerGone: The caller hung up.
        """
        limit = self.limit()
        if limit.deadline.passed():
            raise limit.error(details=limit.details)
        self._look_at_caller()

    def wait(self, sock: socket.socket, events: int) -> None:
        """Return once `sock` is ready for `events`; raises what `check` raises."""
        while not self.poll(sock, events, self.limit().deadline.remaining_seconds()):
            self.check()

    def poll(self, sock: socket.socket, events: int, seconds: float) -> bool:
        """Tell whether `sock` is ready; False may come before `seconds` are over."""
        poller = select.poll()
        poller.register(sock, events)
        if self._caller is not None:
            poller.register(self._caller, select.POLLIN)
        longest_ms = math.ceil(min(seconds, _LONGEST_POLL_SECONDS) * 1000)
        return any(number == sock.fileno() for number, _ in poller.poll(longest_ms))

    def receive(self, count: int) -> None:
        """Count bytes of the reply; 0 is the end of the stream.

        Raises:
            LLMProtocolError: They are more than any reply may have, or they
                end before the headers do.
        """
        if not count and self._reads_head and self.has_reply:
            raise LLMProtocolError(details="the upstream's answer broke off at once")
        self._received_bytes += count
        if self._received_bytes > self._most_bytes:
            raise LLMProtocolError(
                details="the upstream sent more than the cap on a reply allows"
            )

    def _after(self, seconds: float, error: type[APIError], details: str) -> Limit:
        clock = self._whole.deadline.clock
        limit = Limit(Deadline.after(seconds, clock), error, details.format(seconds))
        return limit.earlier(self._whole)

    def _look_at_caller(self) -> None:
        """Raise when the caller hung up; stop looking when it sent more.

        Bytes behind the request are the next, pipelined request. As long as
        they lie there, poll() would report them without end.
        """
        if self._caller is not None and has_sent_more(self._caller):
            self._caller = None


def has_sent_more(caller: socket.socket) -> bool:
    """Tell whether unread bytes of a caller lie there; they stay where they are.

    Raises:
        CallerGone: The caller hung up.
    """
    try:
        # The plain method, so that a TLS socket lets us peek at its wire.
        pending = socket.socket.recv(caller, 1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError as error:
        raise CallerGone from error
    if not pending:
        raise CallerGone
    return True


def current() -> Watch:
    """Return the watch of the request that this thread works on."""
    return _CURRENT.get()
