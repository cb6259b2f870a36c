"""What one request waits on: the upstream, its caller and the clock, together.

A read time-out of a socket starts anew with every byte, so an upstream that
drips can hold a thread for ever; and a caller who hangs up is seen only by
somebody who looks. A `Watch` therefore polls both sockets against one moment.
"""

import errno
import math
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from flaskllm.core.clock import Deadline
from flaskllm.core.errors import APIError, LLMProtocolError, LLMTimeout, LLMUnavailable
from flaskllm.net.callers import has_sent_more
from flaskllm.net.limits import Limit, Pace

# The sockets find their request here: urllib3 stands between it and them.
_CURRENT: ContextVar["Watch"] = ContextVar("watch")

# poll() takes milliseconds in a C int; a longer wait is a loop of these.
_LONGEST_POLL_SECONDS = 60.0
# An idle connection that its peer has given up fails within a round trip; one that
# fails later may have carried a request that the peer has begun to work on.
_STALE_SECONDS = 1.0
_HEAD_BYTES = 1024 * 1024  # of the headers, and of interim replies before them


class Watch:
    """The waiting of one request.

    The limit in force depends on how far the request has come: while it
    connects, the connect time-out; until the first byte, and after each byte of
    the head, the first-byte time-out; until the head is there, the head's own; and
    always the deadline.

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
        head_seconds: float | None = None,
        most_bytes: int,
    ) -> None:
        """Start to count; the first-byte time-out and the head's run from now.

        Args:
            deadline: When all must be over.
            caller: Who waits for the answer, or None when nobody can be seen.
            connect_seconds: For TCP, proxy and TLS together. The name look-up
                counts too, but nothing can interrupt it: the limit is seen
                only once the system has answered.
            first_byte_seconds: None leaves it to the deadline.
            head_seconds: For all of the head; None leaves it to the deadline.
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
        self._first_byte_seconds = first_byte_seconds
        self._pace = Pace(deadline.clock)
        self._whole = Limit(
            deadline, LLMTimeout, "The answer was not complete by the deadline."
        )
        self._head = self._after(
            head_seconds, LLMTimeout, "The answer had not begun after {:g} s."
        )
        self._first_byte = self._after(
            first_byte_seconds, LLMTimeout, "No answer began within {:g} s."
        ).earlier(self._head)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Make the sockets that this thread uses inside wait on this watch."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    @contextmanager
    def patient(
        self, gap_seconds: float | None, tick_seconds: float | None
    ) -> Iterator[None]:
        """Make waits inside end early, and be `active`.

        After `gap_seconds` without a byte, counted from the last one before too,
        `wait` raises LLMTimeout; after `tick_seconds` inside, BlockingIOError.
        """
        with self._pace.set(gap_seconds, tick_seconds), self.active():
            yield

    def ticked(self) -> bool:
        """Tell whether the tick is over."""
        return self._pace.ticked()

    @property
    def has_reply(self) -> bool:
        """Tell whether the upstream itself has said anything yet."""
        return self._connecting is None and self._received_bytes > 0

    @property
    def is_over_full(self) -> bool:
        """Tell whether more came than the cap allows."""
        head_bytes = _HEAD_BYTES if self._reads_head else self._most_bytes
        return self._received_bytes > min(head_bytes, self._most_bytes)

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
        ).earlier(self._head)
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
        self._pace.note_byte()
        with self._pace.set(self._first_byte_seconds, None):
            yield
        self._reads_head = False

    def limit(self) -> Limit:
        """Return the limit that is in force now."""
        if self._connecting is not None:
            return self._connecting
        if not self._received_bytes:
            return self._first_byte
        return self._head if self._reads_head else self._whole

    def check(self) -> None:
        """Return when there is time left and somebody waits.

        Raises:
            LLMTimeout: The deadline or the first-byte time-out has passed.
            LLMUnavailable: The connect time-out has passed.
            CallerGone: The caller hung up.
        """
        self.check_time()
        self._look_at_caller()

    def check_time(self) -> None:
        """Return when there is time left.

        Raises:
            LLMTimeout: The deadline or the first-byte time-out has passed.
            LLMUnavailable: The connect time-out has passed.
        """
        self.limit().check()

    def wait(self, sock: socket.socket, events: int) -> None:
        """Return once `sock` is ready for `events`.

        Raises:
            APIError: What `check` raises, or LLMTimeout after a long silence.
            BlockingIOError: The tick is over.
        """
        limit = self._pace.apply(self.limit())
        while not self.poll(sock, events, self._pace.shorten(limit)):
            limit.check()
            self._look_at_caller()
            if self._pace.ticked():
                raise BlockingIOError(errno.EAGAIN, "the tick is over")

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
            raise LLMProtocolError(details="The upstream's answer broke off at once.")
        self._received_bytes += count
        self._pace.note_byte()
        if self.is_over_full:
            details = "The upstream sent more than the cap on a reply allows."
            raise LLMProtocolError(details=details)

    def _after(
        self, seconds: float | None, error: type[APIError], details: str
    ) -> Limit:
        if seconds is None:
            return self._whole
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


def current() -> Watch:
    """Return the watch of the request that this thread works on."""
    return _CURRENT.get()
