"""One attempt: the signed body goes out, over HTTP or as a mail."""

from collections.abc import Mapping
from datetime import datetime
from email.message import EmailMessage
from typing import Protocol

from flaskllm.net.egress_errors import EgressFailed, EgressRefused
from flaskllm.net.mail import MailFailed
from flaskllm.services.callbacks.renderings.mail import Envelope, compose
from flaskllm.services.callbacks.schedule import Outcome, read_answer
from flaskllm.services.callbacks.signing import headers_of
from flaskllm.services.callbacks.targets import MAIL, Recipients
from flaskllm.storage.job_rows import DeliveryRow, EndpointRow

NOT_SET_UP = "mail_not_set_up"
NOT_ALLOWED = "mail_not_allowed"


class Answer(Protocol):
    """What a receiver answered."""

    @property
    def status(self) -> int:
        """Three digits."""
        ...

    @property
    def retry_after_seconds(self) -> float | None:
        """The wait that it asks for; None when it does not."""
        ...


class Way(Protocol):
    """The way out to URLs of others: see `net.egress.Egress`."""

    def check(self, url: str) -> None:
        """Return when a URL may be called, as far as its text tells.

        Raises:
            EgressRefused: It may not.
        """
        ...

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send once and return the answer.

        Raises:
            EgressRefused: The URL may not be called.
            EgressFailed: There was no answer.
        """
        ...


class Post(Protocol):
    """The way out for mail: see `net.mail.Mailer`. `sender` may hold a name."""

    sender: str

    def send(self, mail: EmailMessage, recipient: str) -> int:
        """Return the status of the server that has taken the mail.

        Raises:
            MailFailed: It was not taken.
        """
        ...


class Sender:
    """Sends deliveries. It never raises for what a receiver does."""

    def __init__(
        self, way: Way, post: Post | None, recipients: Recipients | None
    ) -> None:
        """Keep the collaborators.

        Args:
            way: To URLs.
            post: To mail addresses; None is an operator without a mail server.
            recipients: Who may get mail; None where there is no `post`.
        """
        self._way = way
        self._post = post
        self._recipients = recipients

    def send(
        self, delivery: DeliveryRow, endpoint: EndpointRow, at: datetime
    ) -> Outcome:
        """Make one attempt and return what came of it.

        To a URL it takes 15 s at most; a mail may take as long for each of its steps.

        Args:
            delivery: With a `target` of its own, or for that of its endpoint.
            endpoint: Whose secrets sign it.
            at: Now, aware.
        """
        if endpoint.rendering == MAIL:
            return self._mail(delivery, endpoint, at)
        headers = {
            "Content-Type": "application/json",
            **headers_of(
                delivery.id,
                int(at.timestamp()),
                delivery.body,
                secrets_at(endpoint, at),
            ),
        }
        url = (delivery.target or endpoint.target or b"").decode()
        try:
            answer = self._way.post(url, headers, delivery.body)
        except (EgressRefused, EgressFailed) as error:
            return Outcome(str(error.reason))
        return read_answer(answer.status, answer.retry_after_seconds)

    def _mail(
        self, delivery: DeliveryRow, endpoint: EndpointRow, at: datetime
    ) -> Outcome:
        if self._post is None or self._recipients is None:
            return Outcome(NOT_SET_UP)
        recipient = (endpoint.target or b"").decode()
        # Since the endpoint was made the operator may have allowed fewer.
        if not self._recipients.allow(recipient):
            return Outcome(NOT_ALLOWED)
        envelope = Envelope(delivery.id, self._post.sender, recipient, at)
        try:
            status = self._post.send(compose(delivery.body, envelope), recipient)
        except MailFailed as failure:
            return Outcome(failure.reason, failure.status)
        return Outcome("", status)


def secrets_at(endpoint: EndpointRow, at: datetime) -> tuple[str, ...]:
    """Return the secrets that sign at this moment: the newer one first."""
    current = endpoint.secret.decode()
    until = endpoint.previous_until
    if endpoint.previous_secret is None or until is None or until <= at:
        return (current,)
    return current, endpoint.previous_secret.decode()
