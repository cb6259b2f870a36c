"""Addresses, links, amounts and telephone numbers in running text, by rule alone.

Every pattern reads a text in linear time: what may repeat is bounded or begins
with a character that nothing before it can end with.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["email", "url", "amount", "phone"]


@dataclass(frozen=True, slots=True)
class Entity:
    """Something named in a text: code points from `start` up to, not with, `end`."""

    kind: Kind
    start: int
    end: int
    text: str


# Links stand wherever no letter stands before them: markup must not hide them.
_OPEN = r"(?<![^\W_])"
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
# Other scripts only where they name a country or are sold: "1.这是" is a list.
_TOP = (
    r"(?P<top>[a-zA-Z]{2,24}|[^\W\d_]{2,24}(?=[/?#:])"
    r"|рф|укр|бел|сайт|онлайн|орг|ком|中国|中國|公司|网络|한국|コム)"
)
_EMAIL = re.compile(
    r"(?<![\w.+@-])[\w.!#$%&'*+/=?^`{|}~-]{1,64}"
    rf"@(?:{_LABEL}\.){{1,126}}[^\W\d_]{{2,24}}(?![^\W_])"
)
# With a scheme anything goes; without one it must look like a host.
_SCHEMED = re.compile(
    rf"{_OPEN}(?:[a-z][a-z0-9+.-]{{1,15}}://|www\.|(?:tel|sms|javascript|data):)"
    r"[^\s<>\"]{1,2048}",
    re.IGNORECASE,
)
_BARE = re.compile(
    rf"{_OPEN}(?<!\w\.)(?:(?P<labels>(?:{_LABEL}\.){{1,126}}){_TOP}(?![^\W_])"
    r"|\d{1,3}(?:\.\d{1,3}){3}(?=[:/]))"
    r"(?P<port>:\d{1,5})?(?P<path>[/?#][^\s<>\"]{0,2048})?"
)
_NUMBER = (
    r"(?:\d{1,3}(?:[ .,'’\u00a0\u202f]\d{3}){1,6}(?:[.,]\d{1,4})?"
    r"|\d{1,18}(?:[.,]\d{1,4})?)"
)
_SCALE = (
    r"(?:[kKmM]|bn|[Mm]io\.?|[Mm]rd\.?|[Tt]sd\.?|thousand|million|billion|Tausend"
    r"|Millionen|Milliarden?|mille|millions?|milliards?|mil|millones|milioni|miljoen"
    r"|miljoner|millioner|miljard)"
)
_CODES = (
    r"EUR|USD|GBP|CHF|JPY|CNY|SEK|NOK|DKK|PLN|CZK|HUF|RON|CAD|AUD|NZD|INR|BRL|MXN|ZAR"
    r"|TRY|KRW|SGD|HKD|ILS|AED|Fr\.|Rs\.?"
)
_SIGNS = r"(?:US|CA|AU|NZ|HK|A|C|R|S)?\$|[€£¥₹₩₽₺₴₪฿₫]"
_NAMES = (
    r"[Ee]uros?|[Dd]ollars?|[Pp]ounds?|[Cc]ents?|Franken|[Ff]rancs?|[Kk]ron(?:or|er|en|e|a)"
    r"|kr|zł|złotych|pesos?|rupees?|yen"
)
_AMOUNT = re.compile(
    rf"(?<![\w.,:])(?:(?:{_SIGNS}|{_CODES})\s?-?{_NUMBER}(?:,[-–—])?(?:\s?{_SCALE}(?!\w))?"
    rf"|{_NUMBER}(?:,[-–—])?(?:\s?{_SCALE})?\s?(?:{_SIGNS}|(?:{_CODES}|{_NAMES})(?!\w)))"
)
_PHONE = re.compile(
    r"(?<![\w+.,:/-])(?:"
    r"(?:\+|00)\d{1,14}(?:[ \u00a0./()-]{1,3}\d{1,14}){0,8}"  # with a country
    r"|\(?0\d{1,5}\)?[ \u00a0/.-]{1,3}\d{2,10}(?:[ \u00a0.-]\d{2,6}){0,4}"  # within one
    r"|\(?\d{3}\)?[ \u00a0.-]{1,2}\d{3}[ .-]\d{4}"  # North America
    r")(?![\w/-]|[.,]\d)"
)
_LIKE_A_DATE = re.compile(r"(?!00\d)\d{1,4}[./ -]\d{1,2}[./ -]\d{4}(?!\d)")
_PHONE_DIGITS = range(7, 16)  # E.164 allows 15
# What ends a file's name but no host's.
_FILE_ENDINGS = frozenset(
    """
    txt pdf doc docx xls xlsx ppt pptx odt csv tsv json xml yaml yml html htm css js ts
    png jpg jpeg gif svg webp tar gz exe dll log ini cfg toml eml vtt srt ics msg wav
    """.split()  # noqa: SIM905
)
_COMMON_TOPS = frozenset({"com", "org", "net", "io", "ai", "eu", "de", "uk", "example"})
_TRAILING = ".,;:!?'\"*_~…“”‘’»«>|\\`"
_BRACKETS = {")": "(", "]": "[", "}": "{"}
# Browsers read these as the dot of a host.
_DISGUISED_DOT = re.compile(r"(?<=[a-zA-Z0-9])[。．｡](?=[a-zA-Z0-9])")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_CODE = re.compile(r"[^\W_](?:[\w.-]{0,126}[^\W_])?")
# "24th", "45k", "2pm", "20GB", "30-day" and "mid-2026" are plain language.
_MEASURE = re.compile(r"\d[\d.,]*-?[^\W\d]{1,2}|\d+-[^\W\d]+")
_LABELLED = re.compile(r"[^\W\d]+[.-]\d+")
_SHORTEST_IDENTIFIER = 9
_CAPITALS = re.compile(r"[A-Z]{2,}(?:-[A-Z]{2,})+")


def find(text: str) -> tuple[Entity, ...]:
    """Return the entities of a text in order; none overlaps another.

    A host without a scheme counts as a link when it may be one: links that a
    model invents must not slip through, so that `first.last` is one, too.
    """
    plain = _DISGUISED_DOT.sub(".", text)
    found: list[Entity] = []
    taken = bytearray(len(text))
    for kind, spans in _FINDERS:
        for start, end in spans(plain):
            if not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                found.append(Entity(kind, start, end, text[start:end]))
    return tuple(sorted(found, key=lambda entity: entity.start))


def links_and_addresses(text: str) -> frozenset[str]:
    """Return the links and addresses of a text in one normal form.

    Without scheme, `www.` and closing slash, the host in small letters; addresses
    in small letters. Each link brings its bare host, so that a text whose set is
    within another's says nothing new. Disguised dots and invisible characters
    are undone.
    """
    forms: set[str] = set()
    for entity in find(unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))):
        if entity.kind == "email":
            forms.add(entity.text.casefold())
        if entity.kind == "url":
            forms.update(_normalize(entity.text))
    return frozenset(forms)


def code_words(text: str) -> frozenset[str]:
    """Return what looks like a code or an identifier, in capitals.

    Letters mixed with digits (`INV-2024-17`, `A4F9`) and capitals joined by dashes
    (`TOP-SECRET`). Measures, ordinals and the like (`24th`, `45k`) are not codes.
    """
    plain = unicodedata.normalize("NFKC", text).replace("‐", "-").replace("–", "-")
    words = (match[0] for match in _CODE.finditer(plain))
    return frozenset(word.upper() for word in words if _is_code(word))


def identifiers(text: str) -> tuple[str, ...]:
    """Return the codes in capitals that are long enough to name one thing only.

    `INV-2024-17` is one, `COVID-19` is not: nine characters are the fewest.
    """
    words = (match[0] for match in _CODE.finditer(text))
    return tuple(
        word
        for word in words
        if len(word) >= _SHORTEST_IDENTIFIER and word.isupper() and _is_code(word)
    )


def squeeze(text: str) -> str:
    """Return the letters and digits of a text alone, in capitals."""
    return "".join(filter(str.isalnum, text)).upper()


def _is_code(word: str) -> bool:
    if _CAPITALS.fullmatch(word):
        return True
    if not any(map(str.isdigit, word)) or not any(map(str.isalpha, word)):
        return False
    if _MEASURE.fullmatch(word):
        return False
    return word.isupper() or not _LABELLED.fullmatch(word)


def _normalize(link: str) -> Iterator[str]:
    bare = _SCHEME.sub("", link, count=1)
    authority = re.split(r"[/?#]", bare, maxsplit=1)[0]
    # What stands before the last @ is a name to log in with, or a trick.
    host = authority.rpartition("@")[2].casefold().removeprefix("www.").rstrip(".:")
    yield host
    yield host + bare[len(authority) :].rstrip("/")


def _find_emails(text: str) -> Iterator[tuple[int, int]]:
    for match in _EMAIL.finditer(text):
        start = match.start() + len(match[0]) - len(match[0].lstrip("'*`{|/=.~_-"))
        yield start, match.end()


def _find_links(text: str) -> Iterator[tuple[int, int]]:
    for match in _SCHEMED.finditer(text):
        yield match.start(), _end_of_link(match)


def _find_hosts(text: str) -> Iterator[tuple[int, int]]:
    for match in _BARE.finditer(text):
        if _may_be_host(match):
            yield match.start(), _end_of_link(match)


def _may_be_host(match: re.Match[str]) -> bool:
    top = match["top"]
    if top is None or match["path"] or match["port"]:
        return True
    if top.casefold() in _FILE_ENDINGS:
        return False
    if top.casefold() in _COMMON_TOPS:
        return True
    # A list's number, or two sentences whose full stop lacks its space.
    label = match["labels"][:-1]
    return not label.isdigit() and not (top.istitle() and label.isalpha())


def _end_of_link(match: re.Match[str]) -> int:
    """Return the end without the punctuation of the sentence around the link."""
    link = match[0]
    while link and (link[-1] in _TRAILING or _closes_outside(link)):
        link = link[:-1]
    return match.start() + len(link)


def _closes_outside(link: str) -> bool:
    opening = _BRACKETS.get(link[-1])
    return opening is not None and link.count(link[-1]) > link.count(opening)


def _find_amounts(text: str) -> Iterator[tuple[int, int]]:
    return (match.span() for match in _AMOUNT.finditer(text))


def _find_phones(text: str) -> Iterator[tuple[int, int]]:
    for match in _PHONE.finditer(text):
        digits = sum(map(str.isdigit, match[0]))
        if digits in _PHONE_DIGITS and not _LIKE_A_DATE.match(match[0]):
            yield match.span()


# The first to claim a stretch has it: `http://bank.com@evil.com` is no address.
_FINDERS: Sequence[tuple[Kind, Callable[[str], Iterator[tuple[int, int]]]]] = (
    ("url", _find_links),
    ("email", _find_emails),
    ("url", _find_hosts),
    ("amount", _find_amounts),
    ("phone", _find_phones),
)
