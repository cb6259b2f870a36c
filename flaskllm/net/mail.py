"""Mail out, by the operator's own mail server."""

import smtplib
import ssl
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import parseaddr
from socket import gaierror
from typing import Final, Literal

from flaskllm.net.session import tls_context

Security = Literal["starttls", "tls", "none"]

STEP_SECONDS: Final = 15.0
"""How long one step of the talk may take: connecting, each command, the text."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Who takes our mail. `sender` may hold a name: `flaskllm <digests@example.org>`.

    Attributes:
        security: `tls` from the first byte, or `starttls`, without which nothing is
            sent, or `none`.
        username: Who signs in; None for nobody.
        ca_bundle: A PEM file or a folder of them; None takes certifi's.
    """

    host: str
    port: int
    security: Security
    sender: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_bundle: str | None = None


class MailFailed(Exception):
    """The mail was not taken, or it is not known whether it was.

    Attributes:
        reason: One word, stable.
        status: What the server answered, such as 550; None where it did not.
    """

    def __init__(self, reason: str, status: int | None = None) -> None:
        """Tell the reason, never the server's text."""
        super().__init__(reason)
        self.reason = reason
        self.status = status


# The first row that an error is of says why.
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (smtplib.SMTPAuthenticationError, "mail_sign_in_refused"),
    (smtplib.SMTPSenderRefused, "mail_sender_refused"),
    (smtplib.SMTPRecipientsRefused, "mail_recipient_refused"),
    (smtplib.SMTPNotSupportedError, "mail_not_supported"),
    (smtplib.SMTPServerDisconnected, "connection_failed"),
    (smtplib.SMTPException, "mail_refused"),
    (ssl.SSLCertVerificationError, "certificate_rejected"),
    (ssl.SSLError, "tls_failed"),
    (TimeoutError, "timeout"),
    (gaierror, "name_not_found"),
    (OSError, "connection_failed"),
)


class Mailer:
    """Sends mails, each over a connection of its own. Threads may share it."""

    def __init__(
        self, server: MailServer, *, step_seconds: float = STEP_SECONDS
    ) -> None:
        """Keep the settings; nothing is opened."""
        self.sender = server.sender
        self._server = server
        self._step_seconds = step_seconds

    def send(self, mail: EmailMessage, recipient: str) -> int:
        """Return the server's status once it has taken the mail for the recipient.

        Raises:
            MailFailed: It was not taken, or the answer was lost on the way. A retry
                may help.
        """
        try:
            with closing(self._open()) as smtp:
                smtp.send_message(mail, _address(self.sender), [recipient])
                # It was taken, and must not be sent again for how we part.
                with suppress(smtplib.SMTPException, OSError):
                    smtp.quit()
        except (smtplib.SMTPException, OSError) as error:
            raise _failed(error) from error
        return 250  # RFC 5321, 4.3.2: what ends the text of a mail that was taken

    def _open(self) -> smtplib.SMTP:
        server = self._server
        smtp = _OPENINGS[server.security](server, self._step_seconds)
        if server.username is not None:
            try:
                smtp.login(server.username, server.password or "")
            except BaseException:
                smtp.close()
                raise
        return smtp


def _open_plain(server: MailServer, step_seconds: float) -> smtplib.SMTP:
    # Without a name of ours it would ask the network for one, with no time limit.
    return smtplib.SMTP(server.host, server.port, _name(server), timeout=step_seconds)


def _open_starttls(server: MailServer, step_seconds: float) -> smtplib.SMTP:
    smtp = _open_plain(server, step_seconds)
    try:
        smtp.starttls(context=_context(server))
    except BaseException:
        smtp.close()
        raise
    return smtp


def _open_tls(server: MailServer, step_seconds: float) -> smtplib.SMTP:
    return smtplib.SMTP_SSL(
        server.host,
        server.port,
        _name(server),
        timeout=step_seconds,
        context=_context(server),
    )


_OPENINGS: Mapping[Security, Callable[[MailServer, float], smtplib.SMTP]] = {
    "none": _open_plain,
    "starttls": _open_starttls,
    "tls": _open_tls,
}


def _context(server: MailServer) -> ssl.SSLContext:
    context = tls_context(server.ca_bundle)
    # No watch stands over these sockets: each step has its own limit.
    context.sslsocket_class = ssl.SSLSocket
    return context


def _name(server: MailServer) -> str:
    """Return the name that we greet with: the domain that the mail comes from."""
    return _address(server.sender).rpartition("@")[2] or "localhost"


def _address(sender: str) -> str:
    return parseaddr(sender)[1]


def _failed(error: Exception) -> MailFailed:
    cause = error.__context__
    if isinstance(error, smtplib.SMTPServerDisconnected) and isinstance(cause, OSError):
        # It says so of whatever happens to a connection, such as a time-out.
        return _failed(cause)
    reason = next(word for kind, word in _REASONS if isinstance(error, kind))
    return MailFailed(reason, _status_of(error))


def _status_of(error: Exception) -> int | None:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next(code for code, _ in error.recipients.values())
    return error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else None
