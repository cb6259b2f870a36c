"""A mail server for tests: real sockets on loopback, one thread a connection."""

import base64
import contextlib
import email
import email.policy
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from io import BufferedReader

_GREETING = "220 mail.test ESMTP"


@dataclass
class Taken:
    """A mail that was taken, and how it came."""

    sender: str
    recipients: list[str]
    mail: EmailMessage
    is_encrypted: bool
    signed_in: str | None


@dataclass
class _Talk:
    """What one connection has said so far."""

    sender: str = ""
    recipients: list[str] = field(default_factory=list)
    is_encrypted: bool = False
    signed_in: str | None = None


class MailServer:
    """Use it in a `with` statement.

    `replies` puts other answers in the place of the usual ones, by the verb, such as
    `{"RCPT": "550 no such user"}`. '' hangs up instead; None never answers.
    """

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        *,
        is_tls_from_the_start: bool = False,
        replies: Mapping[str, str | None] | None = None,
    ):
        self.taken: list[Taken] = []
        self.verbs: list[str] = []
        self._tls = tls
        self._at_once = is_tls_from_the_start
        self._replies = dict(replies or {})
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._opened: list[BufferedReader] = []

    @property
    def port(self) -> int:
        return self._listener.getsockname()[1]

    def __enter__(self) -> "MailServer":
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(timeout=5)
            assert not thread.is_alive(), "the mail server left a thread behind"
        for lines in self._opened:
            lines.close()

    def _start(self, run, *arguments) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(accepted)
            self._start(self._serve, accepted)

    def _serve(self, sock: socket.socket) -> None:
        try:
            talk = _Talk()
            if self._at_once:
                sock = self._encrypt(sock, talk)
            self._talk(sock, talk)
        except (OSError, EOFError, ValueError):  # it was closed, perhaps while read
            pass
        finally:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _encrypt(self, sock: socket.socket, talk: _Talk) -> socket.socket:
        assert self._tls is not None
        wrapped = self._tls.wrap_socket(sock, server_side=True)
        self._sockets.append(wrapped)
        talk.is_encrypted = True
        return wrapped

    def _talk(self, sock: socket.socket, talk: _Talk) -> None:
        lines = self._lines_of(sock)
        self._say(sock, "HELLO", _GREETING)
        while line := lines.readline():
            verb, _, rest = line.decode("latin-1").strip().partition(" ")
            verb = verb.upper()
            self.verbs.append(verb)
            if verb == "DATA":
                self._take(sock, lines, talk)
            elif verb == "STARTTLS" and self._tls is not None:
                self._say(sock, verb, "220 go on")
                sock = self._encrypt(sock, talk)
                lines = self._lines_of(sock)
            else:
                self._say(sock, verb, self._answer(verb, rest, talk))

    def _lines_of(self, sock: socket.socket) -> BufferedReader:
        lines = sock.makefile("rb")
        self._opened.append(lines)
        return lines

    def _answer(self, verb: str, rest: str, talk: _Talk) -> str:
        if verb == "EHLO":
            offers = ["mail.test", "8BITMIME", "AUTH PLAIN"]
            if self._tls is not None and not talk.is_encrypted:
                offers.append("STARTTLS")
            *others, last = offers
            return "".join(f"250-{each}\r\n" for each in others) + f"250 {last}"
        if verb == "AUTH":
            told = base64.b64decode(rest.split()[1]).split(b"\0")
            talk.signed_in = ":".join(part.decode() for part in told[1:])
            return "235 welcome"
        if verb == "MAIL":
            talk.sender = rest.partition("<")[2].partition(">")[0]
        if verb == "RCPT":
            talk.recipients.append(rest.partition("<")[2].partition(">")[0])
        return "221 bye" if verb == "QUIT" else "250 ok"

    def _take(self, sock: socket.socket, lines, talk: _Talk) -> None:
        self._say(sock, "DATA", "354 go on")
        if "DATA" in self._replies:
            return
        text = b""
        while (line := lines.readline()) not in (b".\r\n", b""):
            text += line.removeprefix(b".") if line.startswith(b"..") else line
        if "." not in self._replies:
            self.taken.append(
                Taken(
                    talk.sender,
                    talk.recipients,
                    email.message_from_bytes(text, policy=email.policy.default),
                    talk.is_encrypted,
                    talk.signed_in,
                )
            )
        self._say(sock, ".", "250 taken")

    def _say(self, sock: socket.socket, verb: str, usual: str) -> None:
        reply = self._replies.get(verb, usual)
        if reply == "":
            raise EOFError
        if reply is not None:
            sock.sendall(reply.encode() + b"\r\n")
