"""A router in a network of its own, whose name server answers badly; see test_names.

Run as a program inside fresh network and mount namespaces, with the fault's name. It
prints what the caller got, and what the name server and the fallback saw, as JSON.
"""

import json
import socket
import struct
import sys
import threading
import time

from fakes import Upstream
from namespaces import raise_loopback
from socket_scene import REQUEST, Told, routing, text_of
from stream_steps import sse, tokens

HEADER_BYTES = 12
ANSWERED, NXDOMAIN, SERVFAIL = 0x8180, 0x8183, 0x8182  # flags of a reply (RFC 1035)
FAULTS = {"nxdomain": NXDOMAIN, "servfail": SERVFAIL, "silence": None}


def serve_names(server: socket.socket, flags: int | None, asked: list[str]) -> None:
    """Answer every question with these flags and no record; None says nothing."""
    while True:
        question, peer = server.recvfrom(512)
        asked.append(_name(question))
        if flags is not None:
            head = question[:2] + struct.pack(">HHHHH", flags, 1, 0, 0, 0)
            server.sendto(head + question[HEADER_BYTES:], peer)


def _name(question: bytes) -> str:
    labels, rest = [], question[HEADER_BYTES:]
    while length := rest[0]:
        labels.append(rest[1 : length + 1].decode())
        rest = rest[length + 1 :]
    return ".".join(labels)


def main(fault: str) -> None:
    """Ask once, and print how it went."""
    raise_loopback()
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    asked: list[str] = []
    arguments = (server, FAULTS[fault], asked)
    threading.Thread(target=serve_names, args=arguments, daemon=True).start()
    told = Told()
    with Upstream() as spare, routing() as route:
        spare.always(sse(tokens("From ", "the spare.")))
        router = route("http://upstream.test:8000", spare.url)
        begun_at = time.monotonic()
        text = text_of(router.stream(REQUEST, told.call()))
        seconds = time.monotonic() - begun_at
        seen = len(spare.requests)
    record = {
        "text": text,
        "codes": told.codes,
        "seconds": seconds,
        "names": sorted(set(asked)),
        "spare": seen,
    }
    sys.stdout.write(json.dumps(record))


if __name__ == "__main__":
    main(sys.argv[1])
