"""What senders deliver, how they prove it, and what is read from it.

One module a sender beside this one reads its form: pure, bytes in and values out.
A sender that takes a mail apart has it put together again here, so that one parser
reads all mail.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from flaskllm.inputs.document import SourceKind

Why = Literal["unproven", "stale", "malformed"]
What = Literal["mail", "transcript"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request of a sender, as it came.

    Attributes:
        headers: By lower-case name; of several with one name the last.
        body: The bytes, of which signatures are made.
        query: The parameters of the address.
        method: In capitals; set-up checks come as GET or HEAD.
    """

    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    query: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"

    @property
    def content_type(self) -> str:
        """Return the content type with its parameters; empty when there is none."""
        return self.headers.get("content-type", "")


@dataclass(frozen=True, slots=True)
class Terms:
    """What an endpoint knows of its sender, and how the world stands.

    Attributes:
        now: Aware; old signatures are refused by it.
        secret: The signing secret, verification token or public key, as the
            sender's own pages show it; None where none is set.
        username: Of the basic credentials in the endpoint's address, or None.
        password: The same.
        topics: The SNS topics (ARNs) that may deliver here.
        mapping: For `generic`: what is found where, field to JSON path.
        api_key: With which a transcript is fetched, or None.
        certificate: Returns the PEM of the certificate at an allowed address;
            raises `SenderRefusedError` where it cannot be had.
    """

    now: datetime
    secret: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    topics: tuple[str, ...] = ()
    mapping: Mapping[str, str] = field(default_factory=dict)
    api_key: str | None = field(default=None, repr=False)
    certificate: Callable[[str], bytes] | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A document that was delivered, ready for `flaskllm.inputs.parse`.

    Attributes:
        content: Its bytes.
        media_type: As for `parse`; None is found from the content.
        source: What it is.
        event_key: What the sender calls the event, the same when it is repeated;
            empty where it has no name and the content tells.
        charset: As for `parse`.
        file_name: As for `parse`.
        recipients: Lower-case addresses to which it came; empty where there are none.
        fields: Of the digest's order, by their names there, found in the delivery:
            `participants` (tuple of names), `reference_time` (aware), `language`.
        metadata: Goes back with the answer: subject, meeting id and so on.
        warnings: Codes, as a digest's `warnings` hold them.
    """

    content: bytes = field(repr=False)
    media_type: str | None
    source: SourceKind
    event_key: str
    charset: str | None = None
    file_name: str | None = None
    recipients: tuple[str, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetch:
    """A document that has to be fetched by the job before it can be read.

    Attributes:
        url: From the sender's proven message; egress checks it as any other.
        headers: What goes with the request; may hold secrets. A job keeps it sealed.
        body: Of a POST; a GET is sent without one.
        item: The document, yet without content.
        reads: The reply's form: `as_is`, or the name of a reader of `FETCHED`.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    item: Item
    body: bytes | None = field(default=None, repr=False)
    reads: str = "as_is"


@dataclass(frozen=True, slots=True)
class NeedsFetch:
    """Something lies where only the operator gets it; `remedy` says what to do.

    Attributes:
        what: Lies there.
        ids: By which it is found there, each as the place itself names it. They are
            shown to whoever has the job and told to its receiver: no secret, no
            address that is a credential, no word of the document.
        recipients: As those of an `Item`.
        metadata: As that of an `Item`.
    """

    event_key: str
    remedy: str
    what: What
    ids: Mapping[str, str | list[str]] = field(default_factory=dict)
    recipients: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a sender's set-up check wants to hear at once; no job comes of it."""

    body: bytes
    media_type: str = "application/json"
    status: int = 200


@dataclass(frozen=True, slots=True)
class Visit:
    """An address that a proven message asks to be visited, to confirm a topic."""

    url: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """A proven message that is about something else; `code` names it in the log."""

    code: str


Reading = Item | Fetch | NeedsFetch | Reply | Visit | Nothing


class SenderRefusedError(Exception):
    """A delivery is not taken; a repetition of the same bytes is refused alike.

    Attributes:
        why: `unproven` (no or a wrong proof), `stale` (an old one) or `malformed`.
        detail: A sentence for the log and the reply: what is wrong and its mend,
            without a word of the delivery.
    """

    def __init__(self, why: Why, detail: str) -> None:
        """Keep the reason."""
        super().__init__(detail)
        self.why = why
        self.detail = detail


@dataclass(frozen=True, slots=True)
class SecretFault:
    """Why a secret can never prove anything, and what would; no word of it."""

    problem: str
    allowed: str


@dataclass(frozen=True, slots=True)
class Statuses:
    """The status codes that a sender understands.

    Attributes:
        taken: Of everything that was accepted, repeated, or is no business of ours.
        unproven: Of a wrong or missing proof.
        stale: Of a proof that is too old.
        malformed: Of a body that cannot be read: the same one will never be.
        unwanted: Of a mail to a recipient who is not allowed here.
        unknown: Of an endpoint that does not exist.
        too_large: Of a body beyond the cap.
        later: Where we cannot take it just now and a repetition helps.
    """

    taken: int = 200
    unproven: int = 401
    stale: int = 401
    malformed: int = 400
    unwanted: int = 200
    unknown: int = 404
    too_large: int = 413
    later: int = 503


@dataclass(frozen=True, slots=True)
class Sender:
    """One sender: its proof, its form, its codes.

    Attributes:
        name: In the endpoint's address and in the settings.
        prove: Returns when the delivery comes from the sender; raises
            `SenderRefusedError`.
        read: Returns what a proven delivery holds; raises `SenderRefusedError`
            (`malformed`).
        statuses: What it understands.
        wants: Sets of settings of which one must be given whole, such as
            `(("secret",), ("username", "password"))`.
        secret_fault: Tells of a secret whether it has a form in which it could prove
            something; what it says stops the settings that have it.
        told_as: `text` where its people read the words of a refusal as they are, such
            as in a bounce; programs and logs read JSON.
        greeting: Answers an unproven set-up check (Zoom's comes signed, Graph's and
            Postmark's do not); None for every other delivery.
    """

    name: str
    prove: Callable[[Delivery, Terms], None]
    read: Callable[[Delivery, Terms], Reading]
    statuses: Statuses
    wants: tuple[tuple[str, ...], ...]
    secret_fault: Callable[[str], SecretFault | None] = lambda secret: None
    told_as: Literal["json", "text"] = "json"
    greeting: Callable[[Delivery], Reply | None] = lambda delivery: None
