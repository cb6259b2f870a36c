"""How the tests of the way out make one."""

import socket
from collections.abc import Mapping, Sequence
from typing import Any

from flaskllm.core.clock import SystemClock
from flaskllm.net.destinations import Destinations
from flaskllm.net.egress import Egress, EgressRules
from flaskllm.net.egress_names import Names
from flaskllm.net.sockets import connect_first


def make_egress(
    *,
    networks: Sequence[str] = (),
    ports: Sequence[int] = (80, 443),
    allow_http: bool = True,
    connect: Any = connect_first,
    **settings: Any,
) -> Egress:
    """Return a way out that is wide open but for its addresses."""
    rules = EgressRules(Destinations(networks), ports, allow_http=allow_http)
    return Egress(rules, SystemClock(), connect=connect, **settings)


class Told:
    """A name server's answers by name, and the names that were asked for."""

    def __init__(self, answers: Mapping[str, Sequence[str]]):
        self.asked: list[str] = []
        self.names = Names(self._look_up)
        self._answers = answers

    def _look_up(self, name: bytes, port: int, **_: Any) -> list[Any]:
        self.asked.append(name.decode())
        if name.decode() not in self._answers:
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return [address(each, port) for each in self._answers[name.decode()]]


def address(text: str, port: int) -> Any:
    """Return an address as `getaddrinfo` does."""
    if ":" in text:
        place: Any = (text, port, 0, 0)
        return (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place)
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (text, port))


class Recorder:
    """Connects nowhere and keeps what it was to connect to."""

    def __init__(self) -> None:
        self.places: list[list[tuple[str, int]]] = []

    def __call__(self, addresses: Sequence[Any]) -> Any:
        self.places.append([each[4][:2] for each in addresses])
        raise ConnectionRefusedError
