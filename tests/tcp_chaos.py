"""A TCP proxy in front of a server, which fails as networks do: on demand.

It stands before Redis, PostgreSQL or an upstream; a test gives its port to the gateway
and says what goes wrong, while connections are open and for those that come.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

_HOST = "127.0.0.1"
_PIECE_BYTES = 65536
# So long the server may take to do what it is asked, before it is cut off.
_AT_WORK_SECONDS = 0.2
# Closed with this a connection is reset, whatever of it is still on its way.
_AT_ONCE = struct.pack("ii", 1, 0)


class Chaos:
    """A proxy on a port of its own, in a thread of its own; see `tcp_chaos`.

    At first all passes. A change is in force when its method has returned.

    Attributes:
        port: Where it listens.
        accepted: How many connections were made to it so far.
    """

    def __init__(self, target_port: int):
        """Hold a free port; nobody listens yet."""
        self._target_port = target_port
        # It keeps the port while nobody listens there, and takes no connection.
        self._holder = _bound(0)
        self.port: int = self._holder.getsockname()[1]
        self.accepted = 0
        self._fatal: list[bytes] = []
        self._delay_seconds = 0.0
        self._bytes_per_second: float | None = None
        self._loop = asyncio.new_event_loop()
        self._asks, self._answers = asyncio.Event(), asyncio.Event()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        """Let everything pass from here on."""
        self._thread.start()
        self.heal()

    def close(self) -> None:
        """Reset every connection, and give back the port."""
        self.refuse()
        asyncio.run_coroutine_threadsafe(_end_all(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._holder.close()

    def cut(self) -> None:
        """Reset the connections that are open; new ones pass."""
        self._do(self._cut)

    def refuse(self) -> None:
        """Reset the connections that are open, and refuse new ones."""

        def refuse() -> None:
            if self._server is not None:
                self._server.close()
                self._server = None
            self._cut()

        self._do(refuse)

    def hang(self) -> None:
        """Accept, and let nothing pass, as a peer that was stopped."""
        self._do(self._asks.clear, self._answers.clear)

    def mute(self) -> None:
        """Let pass what is asked, and keep the answers back."""
        self._do(self._answers.clear)

    def cut_after(self, *texts: bytes) -> None:
        """Let pass what is asked with these bytes in it, and cut before the answer.

        It happens once, to the first connection on which they pass, and to it alone:
        one that is being made at that moment would tell of a server away. Of several
        texts each is looked for once the one before has passed; the last is what is
        cut after.
        """
        self._fatal = list(texts)

    def delay(self, seconds: float) -> None:
        """Let each piece wait, in both directions."""
        self._delay_seconds = seconds

    def drip(self, bytes_per_second: float) -> None:
        """Let so little pass, in each direction of each connection."""
        self._bytes_per_second = bytes_per_second

    def heal(self) -> None:
        """Let everything pass again, also what was kept back."""
        self._delay_seconds, self._bytes_per_second, self._fatal = 0.0, None, []
        self._do(self._asks.set, self._answers.set)
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def retarget(self, port: int) -> None:
        """Connect to another server from here on; what is open stays with the old."""
        self._target_port = port

    def _do(self, *changes: Callable[[], object]) -> None:
        async def change() -> None:
            for each in changes:
                each()

        asyncio.run_coroutine_threadsafe(change(), self._loop).result(10)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(
                self._serve, sock=_bound(self.port)
            )

    def _cut(self) -> None:
        self._reset(self._writers)

    @staticmethod
    def _reset(writers: Iterable[asyncio.StreamWriter]) -> None:
        for writer in writers:
            ours = writer.get_extra_info("socket")
            if ours is not None and ours.fileno() >= 0:
                ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            writer.transport.abort()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.accepted += 1
        self._writers.add(writer)
        try:
            there = await asyncio.open_connection(_HOST, self._target_port)
        except OSError:
            there = None
        if there is not None:
            self._writers.add(there[1])
            with contextlib.suppress(asyncio.CancelledError):  # the proxy ends
                await asyncio.gather(
                    self._pump(reader, there[1], self._asks, writer),
                    self._pump(there[0], writer, self._answers, there[1]),
                )
        for each in (writer, *(there or ())[1:]):
            self._writers.discard(each)
            each.close()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        passes: asyncio.Event,
        back: asyncio.StreamWriter,
    ) -> None:
        """Carry pieces until there are no more, and tell the other side so.

        `back` leads to where they come from.
        """
        with contextlib.suppress(OSError):
            while piece := await reader.read(_PIECE_BYTES):
                await passes.wait()
                await asyncio.sleep(self._delay_seconds)
                if passes is self._asks and self._is_fatal(piece):
                    await self._carry_last(piece, writer, back)
                else:
                    await self._carry(piece, writer)
            await passes.wait()
            writer.write_eof()
            return
        writer.transport.abort()

    async def _carry_last(
        self, piece: bytes, writer: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        """Carry a piece, and cut its connection before it is answered."""
        self._answers.clear()
        try:
            await self._carry(piece, writer)
            await asyncio.sleep(_AT_WORK_SECONDS)
            self._reset((writer, back))
        finally:
            self._answers.set()

    def _is_fatal(self, piece: bytes) -> bool:
        if not self._fatal or self._fatal[0] not in piece:
            return False
        del self._fatal[0]
        return not self._fatal

    async def _carry(self, piece: bytes, writer: asyncio.StreamWriter) -> None:
        while piece:
            rate = self._bytes_per_second
            size = len(piece) if rate is None else max(1, int(rate / 10))
            sent, piece = piece[:size], piece[size:]
            if rate is not None:
                await asyncio.sleep(len(sent) / rate)
            writer.write(sent)
            await writer.drain()


@contextmanager
def tcp_chaos(target_port: int) -> Iterator[Chaos]:
    """Lend a proxy to a port of this machine."""
    chaos = Chaos(target_port)
    chaos.start()
    try:
        yield chaos
    finally:
        chaos.close()


async def _end_all() -> None:
    """Return when no connection is served any more: some wait to be healed."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _bound(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind((_HOST, port))
    return made
