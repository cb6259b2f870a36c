"""The names that a file puts in front of what somebody says.

A name is taken for a speaker only where the file as a whole speaks for it: a
word and a colon may also be a label, an address or the time of day.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

# A name in front of the text, a colon, and white space (full-width needs none).
_PREFIX = re.compile(r"([^:：\n]{1,60}?)\s?(?::(?=\s|$)|：)\s*")
_NAME_WORDS = 6
_PARTICLES = re.compile(
    "von|van|der|den|de|del|della|di|da|dos|du|la|le|el|al|bin|ibn|ben|zu|zur|y|e|und"
)
# The share of cues that must begin with a name before names are believed.
_NAMED_SHARE = 0.3
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
        name = match.group(1).strip() if match else ""
        if match is None or name not in self.known:
            return None, text
        return name, text[match.end() :].strip()


def find_names(texts: Sequence[str]) -> Names:
    """Return the names that stand in front of texts, when enough of them have one."""
    counts: Counter[str] = Counter()
    for text in texts:
        match = _PREFIX.match(text)
        if match and _is_name(match.group(1).strip()):
            counts[match.group(1).strip()] += 1
    named_count = counts.total()
    share = named_count / len(texts) if texts else 0.0
    if share < _NAMED_SHARE:
        return Names(frozenset())
    are_sure = named_count >= _FEWEST_NAMED or share >= _SURE_SHARE
    return Names(
        frozenset(
            name
            for name, count in counts.items()
            if count > 1 or " " in name or (are_sure and not _LABELS.fullmatch(name))
        )
    )


def _is_name(text: str) -> bool:
    words = re.sub(r"\([^()]*\)", "", text).split()
    if not words or len(words) > _NAME_WORDS or not words[0][0].isalpha():
        return False
    return all(_is_name_word(word) for word in words) and not text.endswith(("?", "!"))


def _is_name_word(word: str) -> bool:
    """Tell whether a word can stand in a name: no address, no common word."""
    if "/" in word or "@" in word:
        return False
    return not word[0].islower() or _PARTICLES.fullmatch(word) is not None
