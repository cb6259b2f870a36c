"""The socket on which the caller waits, from the server that has it.

gunicorn puts it into the environment. uWSGI tells its number only; the duplicate
that we make of it is closed when the answer is over, which for a stream is long
after its request.
"""

import os
import socket
import struct
import sys
from collections.abc import Iterable
from typing import cast

from flask import Response, after_this_request, g, request
from werkzeug.wsgi import ClosingIterator

# A caller who stops reading must not hold a thread for ever. The kernel counts anew
# when it could take a part of a large write: under a minute in all, as measured.
_SEND_SECONDS = 15


def caller_socket() -> socket.socket | None:
    """Return the socket of this request's caller, or None when nobody knows it.

    It is for watching: neither reads nor writes may be made on it. From now on the
    server's own writes to it fail when they cannot proceed.
    """
    if "caller" not in g:
        g.caller = request.environ.get("gunicorn.socket") or _from_uwsgi()
        if g.caller is not None:
            limit_sends(g.caller, _SEND_SECONDS)
    caller: socket.socket | None = g.caller
    return caller


def limit_sends(sock: socket.socket, seconds: int) -> None:
    """Let a blocking write fail when nothing of it can be sent for so long.

    The kernel does it (SO_SNDTIMEO), so the server's own writes end too; TLS of
    the server's and sockets that do not block are not concerned.
    """
    timeout = struct.pack("@ll", seconds, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeout)


def _from_uwsgi() -> socket.socket | None:
    # It exists only inside of uWSGI, and cannot be imported before it does.
    uwsgi = sys.modules.get("uwsgi")
    if uwsgi is None:
        return None
    caller = socket.socket(fileno=os.dup(uwsgi.connection_fd()))

    @after_this_request
    def close_when_over(response: Response) -> Response:
        if response.is_sequence:  # whole: nobody will look at the caller again
            caller.close()
        else:
            body = cast(Iterable[bytes], response.response)
            response.response = ClosingIterator(body, caller.close)
        return response

    return caller
