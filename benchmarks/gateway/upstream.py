"""An upstream that costs next to nothing: what is measured must be the gateway.

    python benchmarks/gateway/upstream.py PORT

It speaks OpenAI's chat dialect. The model's name says what comes: `static` one
whole answer; `blast-N` a stream of N chunks as fast as the socket takes them;
`paced-N-MS` N chunks, one every MS milliseconds.
"""

import asyncio
import re
import sys

_USAGE = b'"usage":{"prompt_tokens":12,"completion_tokens":5,"total_tokens":17}'
_ANSWER = (
    b'{"id":"chatcmpl-static","object":"chat.completion","created":1767603600,'
    b'"model":"static","choices":[{"index":0,"message":{"role":"assistant",'
    b'"content":"It is launched on Friday."},"finish_reason":"stop"}],' + _USAGE + b"}"
)
_STATIC = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    % len(_ANSWER)
) + _ANSWER
_STREAM = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
_HEAD = (
    b'data: {"id":"chatcmpl-stream","object":"chat.completion.chunk",'
    b'"created":1767603600,"model":"stream","choices":['
)
_MODEL = re.compile(rb'"model":\s*"([a-z0-9-]+)"')


def _frame(event: bytes) -> bytes:
    """Return one event as one chunk of the chunked encoding."""
    return b"%x\r\n%b\r\n" % (len(event), event)


def _event(choice: bytes, usage: bytes = b'"usage":null') -> bytes:
    return _frame(_HEAD + choice + b"]," + usage + b"}\n\n")


_TOKEN = _event(b'{"index":0,"delta":{"content":" word"},"finish_reason":null}')
_FINISH = _event(b'{"index":0,"delta":{},"finish_reason":"stop"}')
_END = _FINISH + _event(b"", _USAGE) + _frame(b"data: [DONE]\n\n") + b"0\r\n\r\n"


class Upstream(asyncio.Protocol):
    """One connection; requests on it come one after the other."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self._transport = transport
        self._read = b""

    def data_received(self, data: bytes) -> None:
        """Answer each request as soon as it is whole."""
        self._read += data
        head, blank, body = self._read.partition(b"\r\n\r\n")
        if not blank:
            return
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        wanted = int(length[1]) if length else 0
        if len(body) < wanted:
            return
        self._read = body[wanted:]
        self._answer(body[:wanted])

    def _answer(self, body: bytes) -> None:
        model = _MODEL.search(body)
        name, _, rest = (model[1].decode() if model else "static").partition("-")
        if name == "blast":
            self._transport.write(_STREAM + _TOKEN * int(rest) + _END)
        elif name == "paced":
            count, _, milliseconds = rest.partition("-")
            self._transport.write(_STREAM)
            self._pace(int(count), int(milliseconds) / 1000)
        else:
            self._transport.write(_STATIC)

    def _pace(self, left: int, every_seconds: float) -> None:
        if self._transport.is_closing():
            return
        if not left:
            self._transport.write(_END)
            return
        self._transport.write(_TOKEN)
        loop = asyncio.get_running_loop()
        loop.call_later(every_seconds, self._pace, left - 1, every_seconds)


async def main(port: int) -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Upstream, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
