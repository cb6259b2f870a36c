"""A network in which every address leads to a canary, and hostile URLs within it.

Run as a program inside fresh network and mount namespaces: `local` routes make each
address of the internet one of this machine's. It prints what the canaries and the
name server saw, as JSON.
"""

import contextlib
import json
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from egress_ways import make_egress
from hostile_urls import HOSTILE, NAMES
from namespaces import raise_loopback

from flaskllm.net.egress import Egress, EgressFailed, EgressRefused

PUBLIC = "93.184.215.14"
HEADER_BYTES = 12
ANSWERED = 0x8180  # the flags of a reply (RFC 1035, 4.1.1)
A, CNAME, AAAA = 1, 5, 28
ASKED, LOCALHOST = b"\xc0\x0c", b"\x09localhost\x00"  # names on the wire
# Each is called by a plain socket too, so that a silent canary is noticed.
INSIDE = ("127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.1.1", "100.100.100.200")
INSIDE6 = ("::1", "fd00:ec2::254", "fec0::1", "64:ff9b::7f00:1", "2002:7f00:1::1")
SPELT = ("127.1", "0x7f.1", "2130706433", "0177.0.0.1")


@dataclass
class Canaries:
    """Servers on every address, and the addresses at which somebody called."""

    called: list[str] = field(default_factory=list)

    def listen(self, port: int) -> None:
        """Answer everybody who connects to any address at this port."""
        listener = socket.create_server(
            ("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64
        )
        threading.Thread(target=self._serve, args=(listener,), daemon=True).start()

    def take(self) -> list[str]:
        """Return who was called since the last time."""
        time.sleep(0.1)  # a canary may still be waking up
        called, self.called[:] = list(self.called), []
        return called

    def _serve(self, listener: socket.socket) -> None:
        while True:
            caller, _ = listener.accept()
            with caller, contextlib.suppress(OSError):
                place = ip_address(caller.getsockname()[0])
                self.called.append(str(getattr(place, "ipv4_mapped", None) or place))
                caller.settimeout(1)
                caller.recv(65536)
                caller.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")


class NameServer:
    """Answers for `NAMES`, and badly for some names of its own.

    `rebinding.example` is public for whoever asks first and loopback afterwards,
    each for 0 seconds; `alias.example` is another name for localhost.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def serve(self) -> None:
        """Answer for ever."""
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("127.0.0.1", 53))
        threading.Thread(target=self._serve, args=(server,), daemon=True).start()

    def _serve(self, server: socket.socket) -> None:
        while True:
            question, peer = server.recvfrom(512)
            name, kind, end = _read_question(question)
            answers = [
                record
                for record in self._records(name, kind)
                if record[0] in (kind, CNAME)
            ]
            self.asked.append((name, kind))
            head = question[:2] + struct.pack(">HHHHH", ANSWERED, 1, len(answers), 0, 0)
            body = b"".join(_record(*each) for each in answers)
            server.sendto(head + question[HEADER_BYTES:end] + body, peer)

    def _records(self, name: str, kind: int) -> Sequence[tuple[Any, ...]]:
        if name == "alias.example":
            return [(CNAME, LOCALHOST), (A, bytes([127, 0, 0, 1]), LOCALHOST)]
        if name == "rebinding.example":
            is_first = (name, kind) not in self.asked
            return _addresses([PUBLIC if is_first else "127.0.0.1"])
        return _addresses(NAMES.get(name, []))


def _read_question(question: bytes) -> tuple[str, int, int]:
    labels, place = [], HEADER_BYTES
    while length := question[place]:
        labels.append(question[place + 1 : place + 1 + length].decode())
        place += 1 + length
    (kind,) = struct.unpack_from(">H", question, place + 1)
    return ".".join(labels).lower(), kind, place + 5


def _addresses(texts: Sequence[str]) -> list[tuple[int, bytes]]:
    places = [ip_address(text) for text in texts]
    return [(A if each.version == 4 else AAAA, each.packed) for each in places]


def _record(kind: int, data: bytes, owner: bytes = ASKED) -> bytes:
    """Return a record that is good for 0 seconds."""
    return owner + struct.pack(">HHIH", kind, 1, 0, len(data)) + data


def outcome(egress: Egress, url: str) -> str:
    """Return how a call ended, in a word or a status."""
    try:
        return str(egress.post(url, {}, b"{}").status)
    except (EgressRefused, EgressFailed) as error:
        return str(error.reason)


def call_plainly(host: str) -> None:
    """Call as one who looks at nothing."""
    with socket.create_connection((host, 80), timeout=2) as sock:
        sock.sendall(b"x")
        sock.recv(100)


def main() -> None:
    """Try everything, and print what was seen."""
    raise_loopback()
    for version in ("-4", "-6"):
        command = ["ip", version, "route", "add", "local", "default", "dev", "lo"]
        subprocess.run(command, check=True)
    canaries, names = Canaries(), NameServer()
    names.serve()
    for port in (80, 443):
        canaries.listen(port)
    for host in (*INSIDE, *INSIDE6, *SPELT, PUBLIC):
        call_plainly(host)
    record = {"plainly": canaries.take()}
    open_way = make_egress(networks=["0.0.0.0/0", "::/0"])
    record["allowed"] = [outcome(open_way, "http://10.1.2.3/"), *canaries.take()]

    egress = make_egress(total_seconds=5.0)
    record["hostile"] = sorted({outcome(egress, url) for url in HOSTILE})
    record["alias"] = outcome(egress, "http://alias.example/")
    record["hits"] = canaries.take()
    record["rebinding"] = [outcome(egress, "http://rebinding.example/")]
    record["asked"] = names.asked.count(("rebinding.example", A))
    record["rebinding"] += [
        outcome(egress, "http://rebinding.example/") for _ in range(2)
    ]
    record["rebinding hits"] = canaries.take()
    sys.stdout.write(json.dumps(record))


if __name__ == "__main__":
    main()
