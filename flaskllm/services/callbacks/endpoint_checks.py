"""What an endpoint may be; pure but for the rules of the way out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from flaskllm.core.errors import InvalidInputError
from flaskllm.net.egress_errors import EgressRefused
from flaskllm.services.callbacks.events import EVENT_TYPES
from flaskllm.services.callbacks.planning import RENDERINGS
from flaskllm.services.callbacks.targets import MAIL, check_mail_address

LONGEST_NAME: Final = 100

_MAIL_NOT_SET_UP = "needs the operator's mail settings, which are not there"


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
        sends_mail: Whether the operator has set up a mail server.
    """

    check_url: Callable[[str], None]
    sends_mail: bool

    def check(self, rendering: str, url: str | None, email: str | None) -> bytes:
        """Return where an endpoint leads.

        Raises:
            InvalidInputError: The field that is wrong is named.
        """
        if rendering != MAIL:
            if email is not None:
                raise InvalidInputError.of("email", "goes with another rendering", MAIL)
            return self.check_called(url, "url").encode()
        if not self.sends_mail:
            allowed = ", ".join(name for name in RENDERINGS if name != MAIL)
            raise InvalidInputError.of("rendering", _MAIL_NOT_SET_UP, allowed)
        if url is not None:
            raise InvalidInputError.of("url", "is given for mail", "`email` alone")
        return check_mail_address(email or "").encode()

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


def check_rendering(rendering: str) -> str:
    """Return the name of a rendering.

    Raises:
        InvalidInputError: There is none of this name.
    """
    if rendering not in RENDERINGS:
        problem = f"{rendering[:60]!r} is unknown"
        raise InvalidInputError.of("rendering", problem, ", ".join(RENDERINGS))
    return rendering
