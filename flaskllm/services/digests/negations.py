"""A quote that leaves out the negation beside it: true words, turned meaning.

"We will not ship on Friday" holds "ship on Friday" word for word. Such a cut proves
nothing, and only the nearest word on either side is looked at: whether a sentence
further off takes something back is nothing that words can tell.
"""

import re
from collections.abc import Mapping
from functools import cache

# Words that turn a statement round, in small letters. Italian "mai" is left out
# where the language is not known: it is German for May.
_WORDS: Mapping[str, str] = {
    "en": "not never no nor neither cannot hardly",
    "de": "nicht nie niemals nichts kein keine keinen keinem keiner keines weder",
    "fr": "ne pas jamais aucun aucune ni rien",
    "es": "no nunca jamás ni ningún ninguno ninguna tampoco",
    "it": "non mai né nessuno nessuna",
    "pt": "não nunca jamais nem nenhum nenhuma",
    "nl": "niet geen nooit noch",
    "sv": "inte aldrig ej ingen inget",
}
_CONTRACTED = re.compile(r"\w+n['’]t|n['’]\w+", re.IGNORECASE)
# The marks of a quoted mail and one line break part no words.
_GAP = r"[^\S\n]*(?:\n[> \t]*)?"
_BEFORE = re.compile(rf"([\w'’]+){_GAP}\Z")
_AFTER = re.compile(rf"{_GAP}([\w'’]+)")
_LOOK_BACK = 80


def is_cut_off(text: str, start: int, end: int, language: str | None = None) -> bool:
    """Tell whether a negation stands right before `start` or right after `end`.

    Args:
        text: What the quote was taken from.
        start: Where the quote begins, in code points.
        end: Where it ends.
        language: ISO 639-1 of the text; None or one without a list stands for all.
    """
    before = _BEFORE.search(text[max(0, start - _LOOK_BACK) : start])
    after = _AFTER.match(text, end)
    # A full stop or a dash within the quote parts it from what stands outside.
    beside = (
        before if text[start:end][:1].isalnum() else None,
        after if text[start:end][-1:].isalnum() else None,
    )
    return any(match is not None and _negates(match[1], language) for match in beside)


def _negates(word: str, language: str | None) -> bool:
    known = _words((language or "")[:2].lower())
    return word.casefold() in known or bool(_CONTRACTED.fullmatch(word))


@cache
def _words(language: str) -> frozenset[str]:
    if language in _WORDS:
        return frozenset(_WORDS[language].split())
    every = frozenset(word for words in _WORDS.values() for word in words.split())
    return every - {"mai"}
