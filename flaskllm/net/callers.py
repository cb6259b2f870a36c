"""The socket of whoever waits for an answer: looked at, never read from."""

import socket

from flaskllm.core.errors import CallerGone


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
