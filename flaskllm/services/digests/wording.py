"""Free wording of a model, made harmless before anybody reads it.

Links and addresses may come from the source only (EchoLeak, CVE-2025-32711,
carried data out in a link that a model was told to write). Nothing here is
ever rendered as HTML, yet tags and images go too: a caller may render it.

Every pattern reads a text in linear time: what may repeat is bounded, or cannot
begin again within itself.
"""

import re
import unicodedata
from collections.abc import Set
from dataclasses import dataclass

from flaskllm.core import entities

LINK_REMOVED = "[link removed]"
CODE_REMOVED = "[code removed]"

# `<https://...>` and `<ada@example.com>` are no tags but links.
_AUTOLINK = re.compile(r"<(\w[\w+.-]{0,15}:[^<>\s]+|[^<>\s@/]{1,64}@[^<>\s]+)>")
_TAG = re.compile(r"<(?:/?[a-zA-Z!][^<>]*|\|[^<>]{0,80}\|)>")
_OPEN_TAG = re.compile(r"<(?=[a-zA-Z/!?|])")
_IMAGE = re.compile(r"!\[[^\]\n]{0,200}\](?:\([^)\n]{0,2000}\)|\[[^\]\n]{0,100}\])?")
_MARKDOWN_LINK = re.compile(r"\[([^\]\n]{0,200})\]\(([^)\n]{0,2000})\)")
# "[Ada]: I will pay" is none: a definition leads somewhere.
_DEFINITION = re.compile(
    r"^[^\S\n]*\[[^\]\n]{1,40}\]:[^\S\n]*(?:\w[\w+.-]{0,15}:|//|www\.)\S+.*$",
    re.MULTILINE,
)
_UNSAFE_SCHEME = re.compile(r"\b(?:javascript|data|vbscript|file):\S+", re.IGNORECASE)
_MOST_LAYERS = 4
_NO_WORDS = re.compile(r"[^\w\s,;'-]")
# The mark must not become a link's text or a definition by what stands around it.
_CLINGING_MARK = re.compile(
    rf"(?<=!){re.escape(LINK_REMOVED)}|{re.escape(LINK_REMOVED)}(?=[(\[:])"
)
# Cc and Cf are control and format characters: escape sequences, zero-width,
# bidirectional and tag characters. Line feeds stay.
_INVISIBLE = {"Cc", "Cf", "Cs", "Co"}


@dataclass(frozen=True, slots=True)
class Wording:
    """Clean text, and the links and addresses that were taken out of it."""

    text: str
    removed: int


def clean(text: str, allowed: Set[str]) -> Wording:
    """Take out what could act: tags, images, foreign links, invisible characters.

    Args:
        text: What a model wrote.
        allowed: The links and addresses of the source, in the normal form of
            `entities.links_and_addresses`.
    """
    visible = _unmask("".join(map(_visible, text)), allowed)
    cleaned = _peel(visible, allowed)
    marks = cleaned.count(LINK_REMOVED) - visible.count(LINK_REMOVED)
    # Links within markup went with it and left no mark.
    removed = max(marks, len(_find_foreign(visible, allowed)))
    return Wording(cleaned, removed)


def _unmask(text: str, allowed: Set[str]) -> str:
    """Return the compatible form of a text in which full-width letters hide a link."""
    plain = unicodedata.normalize("NFKC", text)
    hidden = len(_find_foreign(plain, allowed)) > len(_find_foreign(text, allowed))
    return plain if hidden else text


def _visible(character: str) -> str:
    if character in "\n\t":
        return "\n" if character == "\n" else " "
    return "" if unicodedata.category(character) in _INVISIBLE else character


def _peel(text: str, allowed: Set[str]) -> str:
    """Return what is left when nothing can be taken out any more."""
    for _ in range(_MOST_LAYERS):
        peeled = _tidy(_replace_links(_strip_markup(text, allowed), allowed))
        if peeled == text:
            return text
        text = peeled
    # Whoever wraps things this often hides one of them: only words stay.
    return _tidy(_NO_WORDS.sub(" ", text))


def _strip_markup(text: str, allowed: Set[str]) -> str:
    text = _TAG.sub("", _AUTOLINK.sub(r"\1", text))
    text = _MARKDOWN_LINK.sub(r"\1 \2", _IMAGE.sub("", _OPEN_TAG.sub("< ", text)))

    def drop_foreign(definition: re.Match[str]) -> str:
        return "" if _find_foreign(definition[0], allowed) else definition[0]

    return _DEFINITION.sub(drop_foreign, text)


def _replace_links(text: str, allowed: Set[str]) -> str:
    text = _UNSAFE_SCHEME.sub(LINK_REMOVED, text)
    pieces, end = [], 0
    for entity in _find_foreign(text, allowed):
        pieces += [text[end : entity.start], LINK_REMOVED]
        end = entity.end
    return _CLINGING_MARK.sub(f" {LINK_REMOVED} ", "".join(pieces) + text[end:])


def _find_foreign(text: str, allowed: Set[str]) -> list[entities.Entity]:
    return [
        entity
        for entity in entities.find(text)
        if entity.kind in ("email", "url") and not _is_allowed(entity.text, allowed)
    ]


def _is_allowed(link: str, allowed: Set[str]) -> bool:
    forms = entities.links_and_addresses(link)
    return bool(forms) and forms <= allowed


def _tidy(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
