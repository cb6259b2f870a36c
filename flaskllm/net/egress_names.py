"""Looking names up, for so long and by so many as we say.

The system's own look-up can be neither cut short nor told a time-out. So it runs
in a thread of its own, and whoever asked goes on without it when the time is over.
"""

import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from ipaddress import ip_address
from typing import Any

from flaskllm.core.clock import Deadline
from flaskllm.net.egress_errors import EgressFailed, Failure
from flaskllm.net.sockets import Address

MOST_AT_ONCE = 8  # each may hold a thread for as long as a name server is silent
_NOT_FOUND = frozenset({socket.EAI_NONAME, socket.EAI_NODATA})

LookUp = Callable[..., Sequence[Any]]


class Names:
    """Asks the system for the addresses of names. Threads may share it."""

    def __init__(
        self, look_up: LookUp = socket.getaddrinfo, most_at_once: int = MOST_AT_ONCE
    ) -> None:
        """Keep the settings; nothing is asked.

        Args:
            look_up: Called as `socket.getaddrinfo`.
            most_at_once: Look-ups that may run; the next one waits for its turn.
        """
        self._look_up = look_up
        self._free = threading.BoundedSemaphore(most_at_once)

    def find(self, host: str, port: int, deadline: Deadline) -> Sequence[Address]:
        """Return all addresses of a name, never none; each name is asked once.

        Raises:
            EgressFailed: `timeout`, `name_not_found`, `name_look_up_failed`.
        """
        try:
            addresses = self._find(host, port, deadline)
        except TimeoutError as error:
            raise EgressFailed(Failure.TIMEOUT) from error
        except socket.gaierror as error:
            is_missing = error.errno in _NOT_FOUND
            raise EgressFailed(
                Failure.NAME_NOT_FOUND if is_missing else Failure.LOOK_UP_FAILED
            ) from error
        except OSError as error:
            raise EgressFailed(Failure.LOOK_UP_FAILED) from error
        if not addresses:
            raise EgressFailed(Failure.NAME_NOT_FOUND)
        return addresses

    def _find(self, host: str, port: int, deadline: Deadline) -> Sequence[Address]:
        if _is_address(host):  # no name server is asked, so nothing can be silent
            return self._look_up(host.encode("ascii"), port, type=socket.SOCK_STREAM)
        if not self._free.acquire(timeout=deadline.remaining_seconds()):
            raise TimeoutError
        found: Future[Sequence[Address]] = Future()
        self._start(found, host, port)
        return found.result(deadline.remaining_seconds())

    def _start(self, found: Future[Sequence[Address]], host: str, port: int) -> None:
        thread = threading.Thread(
            target=self._ask, args=(found, host, port), name="look-up", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:  # the system has no thread left
            self._free.release()
            raise EgressFailed(Failure.LOOK_UP_FAILED) from error

    def _ask(self, found: Future[Sequence[Address]], host: str, port: int) -> None:
        try:
            # As bytes, or Python would have an opinion about the name.
            place = host.encode("ascii"), port
            found.set_result(self._look_up(*place, type=socket.SOCK_STREAM))
        except Exception as error:  # whoever asked gets it
            found.set_exception(error)
        finally:
            self._free.release()


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
