"""Whether whoever waits for an answer is still there."""

import socket

from flaskllm.core.errors import CallerGone
from flaskllm.net.callers import has_sent_more


def has_hung_up(caller: socket.socket | None) -> bool:
    """Tell whether a caller hung up; nobody knows where no socket is known."""
    if caller is None:
        return False
    try:
        has_sent_more(caller)
    except CallerGone:
        return True
    return False
