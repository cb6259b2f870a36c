"""What an endpoint may be; pure but for the rules of the way out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from flaskllm.core.errors import Conflict, InvalidInputError
from flaskllm.net.egress_errors import EgressRefused
from flaskllm.services.callbacks.events import EVENT_TYPES
from flaskllm.services.callbacks.planning import RENDERINGS
from flaskllm.services.callbacks.targets import MAIL, Recipients, check_mail_address
from flaskllm.storage.endpoints import ENABLED
from flaskllm.storage.job_rows import EndpointRow, Rendering

LONGEST_NAME: Final = 100
TEST_IS_PENDING: Final = (
    "A test of it is pending: its deliveries say when it is attempted next. To begin "
    "anew, disable the endpoint and enable it again: that cancels what waits for it."
)

_MAIL_NOT_SET_UP = "needs the operator's mail settings, which are not there"
_NO_MAIL_THERE = "gets no mail from here"
_MAIL_ALLOWED = "what the operator's setting `mail.allowed_domains` names"


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """What a principal asks for. `secret` None makes one.

    Attributes:
        url: Where to; None where `rendering` is `email`.
        email: A mail address; only where `rendering` is `email`.
        events: Names of events, at least one.
    """

    name: str
    events: tuple[str, ...]
    rendering: str = "json"
    url: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class TargetRules:
    """Where an endpoint may lead.

    Attributes:
        check_url: Raises `EgressRefused` for a URL that may not be called.
        recipients: Who may get mail; None where the operator has set up no server.
    """

    check_url: Callable[[str], None]
    recipients: Recipients | None

    def check(self, rendering: str, url: str | None, email: str | None) -> bytes:
        """Return where an endpoint leads.

        Raises:
            InvalidInputError: The field that is wrong is named.
        """
        if rendering != MAIL:
            if email is not None:
                raise InvalidInputError.of("email", "goes with another rendering", MAIL)
            return self.check_called(url, "url").encode()
        if self.recipients is None:
            allowed = ", ".join(name for name in RENDERINGS if name != MAIL)
            raise InvalidInputError.of("rendering", _MAIL_NOT_SET_UP, allowed)
        if url is not None:
            raise InvalidInputError.of("url", "is given for mail", "`email` alone")
        address = check_mail_address(email or "")
        if not self.recipients.allow(address):
            raise InvalidInputError.of("email", _NO_MAIL_THERE, _MAIL_ALLOWED)
        return address.encode()

    def check_called(self, url: str | None, path: str) -> str:
        """Return a URL that may be called, as far as its text tells.

        Raises:
            InvalidInputError: It may not; the field `path` is named.
        """
        if url is None:
            raise InvalidInputError.of(path, "is missing", "https://host/path")
        try:
            self.check_url(url)
        except EgressRefused as refused:
            raise InvalidInputError.of(path, refused.problem, refused.allowed) from None
        return url


def check_name(name: str) -> str:
    """Return a name that people can read.

    Raises:
        InvalidInputError: It is empty, too long, or holds control characters.
    """
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        allowed = f"1 to {LONGEST_NAME} printable characters"
        raise InvalidInputError.of("name", "cannot be one", allowed)
    return name


def check_events(names: Sequence[str]) -> str:
    """Return the names of events as they are stored, each once, in our order.

    Raises:
        InvalidInputError: There is none, or one is unknown.
    """
    unknown = [each for each in names if each not in EVENT_TYPES]
    if unknown or not names:
        problem = f"{unknown[0][:60]!r} is unknown" if unknown else "are missing"
        raise InvalidInputError.of("events", problem, ", ".join(EVENT_TYPES))
    return " ".join(each for each in EVENT_TYPES if each in names)


def check_rendering(rendering: str) -> Rendering:
    """Return the name of a rendering.

    Raises:
        InvalidInputError: There is none of this name.
    """
    for known in RENDERINGS:
        if rendering == known:
            return known
    problem = f"{rendering[:60]!r} is unknown"
    raise InvalidInputError.of("rendering", problem, ", ".join(RENDERINGS))


def check_reachable(row: EndpointRow) -> None:
    """Return when something can be sent to an endpoint.

    Raises:
        Conflict: It has no address of its own, or is disabled.
    """
    if row.target is None:
        raise Conflict(
            details="It has no address of its own: it signs what goes to the "
            "`callback_url` of requests. Make an endpoint with `url`, and test that."
        )
    if row.state != ENABLED:
        raise Conflict(
            details="It is disabled. Mend its receiver, then enable it: `PATCH` it "
            'with `{"state": "enabled"}`.'
        )
