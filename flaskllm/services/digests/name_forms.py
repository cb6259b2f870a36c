"""The forms that a person's name is written in: nicknames, initials, titles."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from flaskllm.core.folding import fold
from flaskllm.services.digests.everyday_names import PLAIN_LETTERS, titles_before

# "Robert (Bob) Meier", 'Robert "Bob" Meier': what stands between the names.
_NICKNAME = re.compile(r"(?<=\w)\s+[(\"]([^()\"]{1,40})[)\"]\s+(?=\w)")
# "Ada Quist (she/her)", "Ada Quist (Acme)": a remark, and no name of hers.
_REMARK = re.compile(r"[(\[][^()\[\]]{0,80}[)\]]")
_INITIALS = re.compile(r"(?:[^\W\d_]\.?\s?){2,4}")
_MARK = re.compile(r"[\u0300-\u036f]")


@dataclass(frozen=True, slots=True)
class Name:
    """A name taken apart; all words are folded and free of accents and full stops.

    `every` are its words in the order of first and last name, `firsts` the first
    names that it may go by, `last` the words behind the first, and `forms` the whole
    names.
    """

    every: tuple[str, ...]
    firsts: frozenset[str]
    last: tuple[str, ...]
    forms: frozenset[tuple[str, ...]]


def folded(text: str) -> str:
    """Return a text without case, accents and needless space, for comparing names."""
    parted = unicodedata.normalize("NFKD", fold(text).text.translate(PLAIN_LETTERS))
    return _MARK.sub("", parted).strip()


@lru_cache(maxsize=1024)
def read_name(text: str) -> Name:
    """Take a name apart: title and remark aside, "Last, First" turned round."""
    nicknames = [folded(found) for found in _NICKNAME.findall(text)]
    plain = _REMARK.sub(" ", _NICKNAME.sub(" ", text))
    words = _words(_turned(plain))
    words = words[titles_before(words) :]
    if not words:
        return Name((), frozenset(), (), frozenset())
    last = words[1:]
    forms = {words, *((nickname, *last) for nickname in nicknames if last)}
    return Name(words, frozenset({words[0], *nicknames}), last, frozenset(forms))


def is_abbreviation(claim: Name, name: Name) -> bool:
    """Tell whether "J. Smith" or "John S." is short for a name.

    One of the two is whole: letters alone are `is_initials`.
    """
    if len(claim.every) != 2 or len(name.every) < 2:
        return False
    (first, last), whole = claim.every, name.every
    by_first = len(first) == 1 and last == whole[-1]
    by_last = len(last) == 1 and whole[-1].startswith(last)
    is_first = any(each.startswith(first) for each in name.firsts)
    return (by_first and is_first) or (by_last and first in name.firsts)


def is_initials(claim: str, name: Name) -> bool:
    """Tell whether capitals such as "RM" or "R. M." are the initials of a name."""
    if not claim.isupper() or not _INITIALS.fullmatch(claim.strip()):
        return False
    letters = "".join(filter(str.isalpha, folded(claim)))
    return len(name.every) > 1 and letters == "".join(word[0] for word in name.every)


def _turned(text: str) -> str:
    """Return "First Last" for "Last, First", as Outlook and Teams write it."""
    last, comma, first = text.partition(",")
    return f"{first} {last}" if comma and first.strip() else text


def _words(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (word.strip(".,\"'") for word in folded(text).split())))
