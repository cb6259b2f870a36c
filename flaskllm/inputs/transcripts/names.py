"""The names that a file puts in front of what somebody says.

A name is taken for a speaker only where the file as a whole speaks for it: a
word and a colon may also be a label, an address or the time of day.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

# A name in front of the text, a colon, and white space (full-width needs none).
# A colon inside of a word ("HR:Berlin") belongs to the name.
_PREFIX = re.compile(r"((?:[^:：\n]|:(?=[^:：\s])){1,60}?)\s?(?::(?=\s|$)|：)\s*")
_NAME_WORDS = 6
_PARTICLES = re.compile(
    "von|van|der|den|de|del|della|di|da|dos|du|la|le|el|al|bin|ibn|ben|zu|zur|y|e|und"
)
# The share of cues that must begin with a name before names are believed.
_NAMED_SHARE = 0.3
# What a tool puts in front of nearly every cue is a name, however it is written:
# a user name, a telephone number.
_FEWEST_LOOSE = 3
_LOOSE_WORDS = 4
# A name with a colon and a space in it is believed when it is always whole.
_FEWEST_WITH_COLON = 3
_IN_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_TELEPHONE = re.compile(r"\+?[\d*][\d* ()-]{4,}")
_TIME_OF_DAY = re.compile(r"\d:\d")
# A name of one word that occurs once could be a label. It is believed beside
# another, or where nearly all cues begin with a name, unless it is one of these.
_FEWEST_NAMED = 2
_SURE_SHARE = 0.8
_LABELS = re.compile(
    "absent|actions?|agenda|answer|attendees|attention|caution|cc|conclusion|date|"
    "decision|example|from|important|location|minutes|next|notes?|participants|place|"
    "present|question|reminder|result|subject|summary|time|title|to|todo|topic|update|"
    "venue|warning|"
    "achtung|anwesend|antwort|aufgabe|beispiel|beschluss|betreff|datum|entscheidung|"
    "ergebnis|frage|hinweis|notiz|ort|teilnehmer|thema|titel|uhrzeit|wichtig|zeit|"
    "zusammenfassung|"
    "exemple|objet|remarque|réponse|résumé|sujet|"
    "asunto|ejemplo|fecha|nota|pregunta|respuesta|resumen|domanda|esempio|risposta",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a file puts in front of what they said."""

    known: frozenset[str]

    def split(self, text: str) -> tuple[str | None, str]:
        """Return the speaker, None when no known name is there, and the rest."""
        match = _PREFIX.match(text)
        if match is None:
            return None, text
        name, rest = match.group(1).strip(), text[match.end() :].strip()
        second = _PREFIX.match(rest)
        longer = f"{name}: {second.group(1).strip()}" if second else ""
        if second is not None and longer in self.known:
            return longer, rest[second.end() :].strip()
        return (name, rest) if name in self.known else (None, text)


def find_names(texts: Sequence[str]) -> Names:
    """Return the names that stand in front of texts, when enough of them have one."""
    matches = [(text, match) for text in texts if (match := _PREFIX.match(text))]
    prefixes = Counter(match.group(1).strip() for _, match in matches)
    counts = Counter(
        {name: count for name, count in prefixes.items() if _is_name(name)}
    )
    if texts and prefixes.total() >= _SURE_SHARE * len(texts):
        counts |= Counter(
            {name: count for name, count in prefixes.items() if _is_loose(name, count)}
        )
    named_count = counts.total()
    share = named_count / len(texts) if texts else 0.0
    if share < _NAMED_SHARE:
        return Names(frozenset())
    are_sure = named_count >= _FEWEST_NAMED or share >= _SURE_SHARE
    known = {
        name
        for name, count in counts.items()
        if count > 1 or " " in name or (are_sure and not _LABELS.fullmatch(name))
    }
    return Names(frozenset(known | _with_colons(matches, counts)))


def _with_colons(
    matches: Sequence[tuple[str, re.Match[str]]], counts: Counter[str]
) -> set[str]:
    """Return the longer names of those that a second one always follows."""
    longer: dict[str, Counter[str]] = {}
    for text, match in matches:
        second = _PREFIX.match(text[match.end() :])
        if second:
            found = longer.setdefault(match.group(1).strip(), Counter())
            found[second.group(1).strip()] += 1
    return {
        f"{name}: {second}"
        for name, seconds in longer.items()
        for second, count in seconds.items()
        if count == counts[name] >= _FEWEST_WITH_COLON
        and _is_name(second)
        and not _LABELS.fullmatch(second)
    }


def _is_loose(text: str, count: int) -> bool:
    """Tell whether what nearly every cue has in front can be a name of some kind."""
    if count < _FEWEST_LOOSE or text.endswith(("?", "!")) or _LABELS.fullmatch(text):
        return False
    if "/" in text or _TIME_OF_DAY.search(text):
        return False
    has_letter = any(character.isalpha() for character in text)
    is_name = has_letter or _TELEPHONE.fullmatch(text) is not None
    return is_name and len(text.split()) <= _LOOSE_WORDS


def _is_name(text: str) -> bool:
    words = _IN_BRACKETS.sub("", text).split()
    if not words or len(words) > _NAME_WORDS or not words[0][0].isalpha():
        return False
    return all(_is_name_word(word) for word in words) and not text.endswith(("?", "!"))


def _is_name_word(word: str) -> bool:
    """Tell whether a word can stand in a name: no address, no common word."""
    if "/" in word or "@" in word or _TIME_OF_DAY.search(word):
        return False
    # "iPhone" and "deShawn" begin small.
    return not word.islower() or _PARTICLES.fullmatch(word) is not None
