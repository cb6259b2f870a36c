"""Tell which machine wrote a mail: a bounce, an automatic reply, a read receipt.

The headers are those of RFC 3834 (Auto-Submitted), RFC 3464 (reports of delivery),
RFC 8098 (read receipts) and what Exchange and the older responders write. A subject
alone proves nothing: people write "out of office" too.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from flaskllm.inputs.document import Automatic, Notice
from flaskllm.inputs.encoded_words import decode_words, unfold_header
from flaskllm.inputs.mime import Node

_LONGEST = 1_000

_DETAILS: Mapping[Automatic, str] = {
    "bounce": "A mail server wrote this mail: another one could not be delivered.",
    "auto_reply": "A machine answered in place of a person.",
    "read_receipt": "A mail program tells that a mail was shown or deleted.",
    "generated": "A machine wrote this mail, such as a notification.",
}

_DAEMON = re.compile(r"\bmailer[-_.]?daemon@|\bmailer-daemon\b", re.IGNORECASE)
_POSTMASTER = re.compile(r"\bpostmaster@", re.IGNORECASE)
# What responders put before or in the subject of the mail that they answer.
_AWAY = re.compile(
    r"\s*\[?(?:automatic reply|auto(?:matic)?[- ]?(?:reply|response|antwort)|"
    r"automatische antwort|abwesenheit|réponse automatique|risposta automatica|"
    r"respuesta automática|resposta automática|automatisch antwoord|autosvar|"
    r"automatiskt svar|automatisk svar|automaattinen vastaus|automatická odpověď|"
    r"automatyczna odpowiedź|automatikus válasz|otomatik yanıt|răspuns automat|"
    r"автоматический ответ|автоматична відповідь|αυτόματη απάντηση|自动答复|自動回覆|"
    r"自動応答|자동 회신|out[- ]of[- ](?:the[- ])?office|ooo\b|vacation|absence|"
    r"fuera de (?:la )?oficina|fuori sede|afwezig|nicht im (?:büro|haus)|frånvar)",
    re.IGNORECASE,
)
_RESPONDERS = (
    "x-autoreply", "x-autorespond", "x-auto-reply-from", "x-autoreply-from",
    "x-mail-autoreply", "x-autoresponder",
)  # fmt: skip
# With one of these beside it, a subject that speaks of absence is a responder's.
# The last three are Exchange's, whose replies carry no other mark once they have
# left their organisation.
_HINTS = (
    "x-auto-response-suppress", "auto-submitted", "precedence", "return-path",
    "x-ms-exchange-inbox-rules-loop", "x-ms-exchange-generated-message-source",
    "accept-language",
)  # fmt: skip


def automatic_kind(root: Node) -> Automatic | None:
    """Return which machine wrote a mail, or None when a person did."""
    headers = _Headers(root)
    return next((kind for kind, applies in _RULES if applies(root, headers)), None)


def label_notices(root: Node, kind: Automatic | None) -> Iterator[Notice]:
    """Yield a notice for a machine's mail, else for one that a list sent on."""
    if kind is not None:
        yield Notice("automatic_mail", f"{kind}: {_DETAILS[kind]}")
    elif _Headers(root).is_from_list():
        yield Notice("mailing_list_mail", "The mail came through a mailing list.")


class _Headers:
    """The headers that tell machines from people, in lower case."""

    def __init__(self, root: Node) -> None:
        self._header = root.header

    def get(self, name: str) -> str:
        """Return the value of a header, empty when there is none."""
        value = str(self._header.get(name, ""))[:_LONGEST]
        return decode_words(unfold_header(value)).strip().lower()

    def has_null_path(self) -> bool:
        """Whether the envelope named nobody to answer to (RFC 5321, section 4.5.5)."""
        return "return-path" in self._header and self.get("return-path") in ("<>", "")

    def is_from_list(self) -> bool:
        """Whether a list or a sender of many sent it."""
        is_bulk = self.get("precedence") in ("list", "bulk")
        return is_bulk or bool(self.get("list-id") or self.get("list-post"))


def _reports(root: Node, headers: _Headers, kind: str, media_type: str) -> bool:
    """Tell whether a mail is a report of a kind (RFC 6522), even one cut short."""
    if not headers.get("content-type").startswith("multipart/report"):
        return False
    if (root.parameter("report-type") or "").strip().lower() == kind:
        return True
    return any(child.media_type == media_type for child in root.children)


def _is_receipt(root: Node, headers: _Headers) -> bool:
    kind = "disposition-notification"
    return _reports(root, headers, kind, f"message/{kind}")


def _is_report(root: Node, headers: _Headers) -> bool:
    kind = "delivery-status"
    is_report = _reports(root, headers, kind, f"message/{kind}")
    return is_report or bool(headers.get("x-failed-recipients"))


def _is_daemon(root: Node, headers: _Headers) -> bool:
    sender = headers.get("from")
    if _DAEMON.search(sender):
        return True
    return bool(_POSTMASTER.search(sender)) and headers.has_null_path()


def _is_reply(root: Node, headers: _Headers) -> bool:
    if headers.get("auto-submitted").startswith("auto-replied"):
        return True
    if headers.get("precedence") in ("auto_reply", "auto-reply"):
        return True
    if any(headers.get(name) for name in _RESPONDERS):
        return True
    is_hinted = any(name in root.header for name in _HINTS)
    return is_hinted and bool(_AWAY.match(headers.get("subject")))


def _has_nobody_to_answer(root: Node, headers: _Headers) -> bool:
    return headers.has_null_path()


def _is_generated(root: Node, headers: _Headers) -> bool:
    return headers.get("auto-submitted").startswith("auto-generated")


# The order matters: a responder's mail has a null return path as a bounce has.
_RULES: tuple[tuple[Automatic, Callable[[Node, _Headers], bool]], ...] = (
    ("read_receipt", _is_receipt),
    ("bounce", _is_report),
    ("bounce", _is_daemon),
    ("auto_reply", _is_reply),
    ("bounce", _has_nobody_to_answer),
    ("generated", _is_generated),
)
