"""How placeholders are spelled: as they are given out, and as models write them. Pure.

Given out is `[PERSON_1]`. A model that writes German may say `[Person Nr. 1]`, one
that writes French `[PERSONNE_1]`; all that can only mean a placeholder is read as one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, count
from string import ascii_uppercase
from typing import Final

from flaskllm.services.digests.everyday_names import name_key

KINDS: Final = ("PERSON", "EMAIL", "PHONE", "NUMBER")

# What models make of the words, in English, German, French and Spanish.
_KIND_WORDS: Mapping[str, str] = {
    "PERSON": "person personne persona",
    "EMAIL": "email e-mail mail courriel correo",
    "PHONE": "phone telephone telefon téléphone teléfono",
    "NUMBER": "number nummer numéro número",
}
_FORM_WORDS: Mapping[str, str] = {
    "FIRST": "first vorname prénom nombre",
    "LAST": "last nachname nom apellido",
}


def _read_table(table: Mapping[str, str]) -> Mapping[str, str]:
    """Return what each word of a table means, by its key."""
    return {
        name_key(word): meaning
        for meaning, words in table.items()
        for word in words.split()
    }


_KIND_OF = _read_table(_KIND_WORDS)
_FORM_OF = _read_table(_FORM_WORDS)


def _either(table: Mapping[str, str]) -> str:
    """Return a pattern of all words of a table, the longest first, accents or not."""
    words = chain.from_iterable(words.split() for words in table.values())
    return "|".join(
        "".join(_with_accent(sign) for sign in word)
        for word in sorted(set(words), key=lambda word: (-len(word), word))
    )


def _with_accent(sign: str) -> str:
    plain = name_key(sign)
    return sign if plain == sign else f"[{sign}{sign.upper()}{plain}]"


_WORDS = _either(_KIND_WORDS)
_FORMS = rf"{_either(_FORM_WORDS)}|JOINED|MIDDLE\d{{1,2}}|V\d{{1,9}}"
_DIGIT = "[0-9\uff10-\uff19]"
_LOW = r"\\?[_\uff3f]"
# Between brackets also "Person 1", "Person Nr. 1", "Personne n° 1", "PERSON#1".
_BETWEEN = rf"(?:(?:{_LOW}|[ \u00a0\u2010\u2011-])(?:n(?:[ro]|[uú]m)?\.?[°º]? ?)?)?#?"
# Bare words need the underscore, "number 3" is plain language; a dash needs capitals.
_BARE = rf"(?:{_LOW}|(?-i:(?<=[A-Z])-))"
_OPEN, _CLOSE = r"[\[{<\uff3b\u3010\u3014]", r"[\]}>\uff3d\u3011\u3015]"
_ENDING = r"(?:[A-Z]|Q\d{1,9}Q)"
_USED = re.compile(
    rf"{_OPEN} ?(?P<told>(?:{_WORDS}){_ENDING}?){_BETWEEN}{_DIGIT}"
    rf"|(?P<bare>(?:{_WORDS}){_ENDING}?)(?:{_LOW}|-){_DIGIT}",
    re.IGNORECASE | re.ASCII,
)


def ending_for(texts: Iterable[str]) -> str:
    """Return the first ending of kinds that makes no placeholder in these texts.

    Nor may one with its neighbours hidden: what only begins like one counts too.
    """
    used = {ending for text in texts for ending in _endings_in(text)}
    tried = chain(("",), ascii_uppercase, (f"Q{number}Q" for number in count()))
    return next(ending for ending in tried if ending not in used)


def _endings_in(text: str) -> Iterator[str]:
    for found in _USED.finditer(text):
        label = name_key(found["told"] or found["bare"])
        # "PERSONA" is a word, and another one with an ending.
        for word in _KIND_OF:
            if label.startswith(word):
                yield label[len(word) :].upper()


def pattern_for(ending: str) -> re.Pattern[str]:
    """Return what finds placeholders, whose kinds have this ending.

    In brackets of any kind, which Markdown may escape, a genitive within; and bare.
    """
    return re.compile(
        rf"(?P<escape>\\)?{_OPEN} ?(?P<kind>{_WORDS}){ending}{_BETWEEN}"
        rf"(?P<no>{_DIGIT}{{1,9}})(?:(?:{_LOW}|[ -])(?P<form>{_FORMS}))?"
        rf"(?P<genitive>['’]s?)? ?"
        rf"(?(escape)\\){_CLOSE}"
        rf"|(?<![^\W_])(?P<bare_kind>{_WORDS}){ending}{_BARE}"
        rf"(?P<bare_no>{_DIGIT}{{1,9}})"
        rf"(?:(?:{_LOW}|(?-i:-(?=[A-Z])))(?P<bare_form>{_FORMS})|(?=s?(?![^\W_])))",
        re.IGNORECASE | re.ASCII,
    )


def tokens_of(found: re.Match[str], ending: str) -> Iterator[str]:
    """Yield what a match may stand for, as it was given out, the surest first.

    Args:
        found: A match of `pattern_for`.
        ending: The ending that it was made for.
    """
    kind, number, form = found.group("kind", "no", "form")
    if kind is None:
        kind, number, form = found.group("bare_kind", "bare_no", "bare_form")
    base = f"{_KIND_OF[name_key(kind)]}{ending}_{int(number)}"
    if form:
        yield f"{base}_{_FORM_OF.get(name_key(form), form.upper())}"
    yield base
