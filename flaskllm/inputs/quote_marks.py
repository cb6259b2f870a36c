"""How mail programs mark what an earlier mail said, in many languages.

Pure tables and predicates over single lines; `quotes` makes sense of them. All
patterns take linear time: the text comes from strangers.
"""

import re
from collections.abc import Sequence

# How far a header block and an attribution may stretch, in lines.
_HEADER_LINES = 14
_ATTRIBUTION_LINES = 3
_ATTRIBUTION_CHARACTERS = 400

# mbox writers put a mark before "From " at the start of a line; it is no quote.
_MARKS = re.compile(r"(?!>From )(?: {0,3}>)+ ?")


def _phrases(phrases: str) -> frozenset[str]:
    return frozenset(phrases.split("|"))


_LABELS = {
    "from": "from|von|de|da|van|från|fra|lähettäjä|od|от|від|από|kimden|feladó|"
    "de la|expéditeur|remitente|mittente|afzender|差出人|送信者|发件人|寄件者|"
    "寄件人|보낸 사람|보낸사람",
    "date": "date|sent|datum|gesendet|envoyé|enviado|enviado el|inviato|data|"
    "fecha|verzonden|verstuurd|skickat|sendt|dato|lähetetty|päivämäärä|wysłano|"
    "odesláno|отправлено|дата|надіслано|ημερομηνία|εστάλη|gönderildi|tarih|"
    "elküldve|dátum|trimis|送信日時|日時|日付|发送时间|發送時間|寄件日期|日期|"
    "보낸 날짜|날짜",
    "to": "to|an|à|a|para|per|aan|till|til|vastaanottaja|do|komu|кому|προς|"
    "kime|címzett|către|destinataire|destinatario|宛先|收件人|收件者|받는 사람|"
    "cc|kopie|copie|copia|kopia|kopi|kopio|копия|копія|抄送|副本|참조",
    "subject": "subject|betreff|objet|asunto|oggetto|onderwerp|ämne|emne|aihe|"
    "assunto|temat|předmět|тема|θέμα|konu|tárgy|subiect|件名|主题|主旨|제목",
}
_ROLE_OF = {
    label: role for role, labels in _LABELS.items() for label in labels.split("|")
}
_LABEL = re.compile(
    r"[*_]{0,2}([^\W\d_][^:：*\n]{0,24})[*_]{0,2} ?[:：](.*)", re.DOTALL
)
_COLON = re.compile("[:：]")

_ORIGINALS = _phrases(
    "original message|ursprüngliche nachricht|originalnachricht|"
    "original-nachricht|message d'origine|message d’origine|message original|"
    "mensaje original|messaggio originale|mensagem original|"
    "oorspronkelijk bericht|ursprungligt meddelande|originalmeddelande|"
    "oprindelig meddelelse|opprinnelig melding|alkuperäinen viesti|"
    "oryginalna wiadomość|wiadomość oryginalna|původní zpráva|"
    "исходное сообщение|оригинальное сообщение|özgün ileti|eredeti üzenet|"
    "mesaj original|元のメッセージ|原始邮件|原始郵件|邮件原件|원본 메시지"
)
_FORWARDS = _phrases(
    "forwarded message|begin forwarded message|forwarded by|"
    "weitergeleitete nachricht|anfang der weitergeleiteten nachricht|"
    "message transféré|début du message transféré|début du message réexpédié|"
    "mensaje reenviado|inicio del mensaje reenviado|messaggio inoltrato|"
    "inizio messaggio inoltrato|doorgestuurd bericht|begin doorgestuurd bericht|"
    "mensagem encaminhada|início da mensagem encaminhada|"
    "vidarebefordrat meddelande|vidarebefordrat brev|videresendt meddelelse|"
    "videresendt besked|videresendt melding|välitetty viesti|"
    "przekazana wiadomość|wiadomość przekazana dalej|přeposlaná zpráva|"
    "пересылаемое сообщение|переслане повідомлення|iletilen mesaj|"
    "továbbított üzenet|転送されたメッセージ|转发的邮件|转发邮件|轉寄郵件|"
    "전달된 메시지"
)
_FORWARD_SUBJECT = re.compile(
    r"\s*\[?(?:fwd?|wg|tr|rv|i|enc|doorst|vb|vl|videresendt|pd|转发|轉寄|転送)\s*[:：]",
    re.IGNORECASE,
)

_WROTE = re.compile(
    r"\b(?:wrote|writes|schrieb|a écrit|escribió|escreveu|ha scritto|scrisse|"
    r"schreef|geschreven|skrev|kirjoitti|napisał|napisała|napisał\(a\)|napsal|"
    r"napsala|napsal\(a\)|написал|написала|написал\(а\)|пишет|написав|έγραψε|"
    r"yazdı|ezt írta|a scris)(?!\w)|のメール|書きました|写道|寫道|작성",
    re.IGNORECASE,
)
_STARTS = re.compile(
    r"(?:on|am|le|el|il|op|den|em|a|in data|w dniu|dnia|dne|ke|pe|ma|ti|to|la|på|"
    r"στις|pada|vào)\b|\d|[а-я]{2}, |在|於|于",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"\d{1,2}\s?[:.hH時点]\s?\d{2}")
_ADDRESS_END = re.compile(r"[\w.+-]@[\w.-]{1,200}[>\])]{0,3}\s*[:：]$")


def strip_marks(text: str) -> tuple[int, str]:
    """Return how many `>` stand before a line, and the line without them."""
    match = _MARKS.match(text)
    if match is None:
        return 0, text
    return match.group().count(">"), text[match.end() :]


def is_signature_mark(text: str) -> bool:
    """Tell whether a line is the dash line above a signature."""
    return text.rstrip() == "--"


def is_original_mark(text: str) -> bool:
    """Tell whether a line announces the original message of a reply."""
    return text.startswith("--") and _bare(text) in _ORIGINALS


def is_forward_mark(text: str) -> bool:
    """Tell whether a line announces a forwarded message."""
    return len(text) <= 120 and _bare(text) in _FORWARDS


def is_forward_subject(subject: str | None) -> bool:
    """Tell whether a subject says that the mail is a forward."""
    return bool(subject and _FORWARD_SUBJECT.match(subject))


def _bare(text: str) -> str:
    return text[:120].strip(" -_*=:：\t").casefold()


def header_length(texts: Sequence[str], at: int) -> int:
    """Return how many lines the header block of an earlier mail takes.

    It counts when it names a sender and two more fields, one of them the
    subject or else the sender's address: a travel plan also says From and To.

    Args:
        texts: All lines, without quote marks.
        at: The line where the block may begin.

    Returns:
        The number of lines up to its last field, or 0 when there is no block.
    """
    if _role(texts[at]) is None:
        return 0
    roles: set[str] = set()
    has_address = False
    length = unknown = 0
    for offset, text in enumerate(texts[at : at + _HEADER_LINES]):
        role = _role(text)
        unknown = 0 if role else unknown + 1
        if unknown > 2 or (not text.strip() and len(roles) >= 3):
            break
        if role:
            roles.add(role)
            length = offset + 1
        has_address = has_address or "@" in text
    is_block = "from" in roles and len(roles) >= 3
    return length if is_block and ("subject" in roles or has_address) else 0


def header_field(texts: Sequence[str], at: int, role: str) -> str:
    """Return a field of the header block that begins at a line, empty without one.

    Args:
        texts: All lines, without quote marks.
        at: The line where the block may begin.
        role: `from`, `date`, `to` or `subject`.
    """
    for text in texts[at : at + header_length(texts, at)]:
        if _role(text) == role:
            return _COLON.split(text, 1)[1].strip(" *_")
    return ""


def _role(text: str) -> str | None:
    match = _LABEL.match(text.strip()[:60])
    return _ROLE_OF.get(match.group(1).strip().casefold()) if match else None


def attribution_length(texts: Sequence[str], at: int) -> tuple[int, bool]:
    """Return how many lines a line such as "On Monday Ann wrote:" takes.

    Returns:
        The number of lines, 0 when there is none; and whether it is so plain
        that what follows is a quote even without a mark.
    """
    if not texts[at].strip():
        return 0, False
    joined = ""
    for length, text in enumerate(texts[at : at + _ATTRIBUTION_LINES], start=1):
        joined = f"{joined} {text.strip()}".strip()
        if len(joined) > _ATTRIBUTION_CHARACTERS or not text.strip():
            break
        if joined.endswith((":", "：")):
            return _weigh(joined, length)
    return 0, False


def around_wrote(text: str) -> tuple[str, str] | None:
    """Return what stands before and behind the word for "wrote"; None without one."""
    found = _WROTE.search(text)
    return (text[: found.start()], text[found.end() :]) if found else None


def starts_attribution(text: str) -> bool:
    """Tell whether a text begins as "On Monday Ann wrote:" does, with no name."""
    return bool(_STARTS.match(text))


def _weigh(joined: str, length: int) -> tuple[int, bool]:
    wrote = bool(_WROTE.search(joined))
    addressed = bool(_ADDRESS_END.search(joined)) or (wrote and "@" in joined)
    starts = bool(_STARTS.match(joined))
    has_digit = any(character.isdigit() for character in joined)
    if not has_digit or not (wrote or addressed) or (length > 1 and not starts):
        return 0, False
    return length, addressed or (starts and bool(_CLOCK.search(joined)))
