"""What careless and lying models make of a true quote, and what honest ones do.

Every function takes a quote with its surroundings and returns another wording, or
None where the quote does not offer what it changes. The choices are those of the
given generator alone, so that a seed gives the same set again.
"""

import random
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

NEGATIONS = frozenset(
    """
    not never no cannot nicht nie niemals kein keine keinen keinem keiner ne pas jamais
    aucun aucune nunca jamás ningún ninguna tampoco
    """.split()  # noqa: SIM905
)
FILLERS = frozenset({"uh", "uhm", "umm", "um", "erm", "hmm", "äh", "ähm", "euh", "ehm"})
# A filler that is safe to leave out stands between pauses.
_PAUSED = re.compile(
    r"(?<=[\w,]) ?,? (?:uh|um|erm|äh|ähm|euh|ehm) ?,(?= )", re.IGNORECASE
)
_CONTRACTED = re.compile(
    r"\b(ca|wo|do|did|does|is|are|was|would|should|could|have)n['’]t", re.IGNORECASE
)
_NUMBER_WORDS = (
    "two three four five six seven eight nine ten twelve twenty thirty forty fifty "
    "first third fourth fifth ninth sixteenth nineteenth hundred thousand",
    "zwei drei vier fünf sechs sieben acht neun zehn zwölf zwanzig dreißig vierzig",
    "deux trois quatre cinq six sept huit neuf dix douze vingt trente quarante mille",
    "dos tres cuatro cinco seis siete ocho nueve diez doce veinte treinta cuarenta mil",
)
_SYNONYMS = {
    "send": "mail", "start": "begin", "big": "large", "think": "believe",
    "need": "require", "want": "wish", "good": "fine", "look": "glance",
    "people": "persons", "get": "obtain", "show": "display", "use": "employ",
    "make": "produce", "say": "state", "talk": "speak", "buy": "purchase",
    "schicken": "senden", "machen": "tun", "brauchen": "benötigen",
    "envoyer": "expédier", "faire": "réaliser", "besoin": "nécessité",
    "enviar": "mandar", "hacer": "realizar", "necesitamos": "requerimos",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quote:
    """A true quote: what stands around it in its part, and the words of its source."""

    text: str
    before: str
    after: str
    next_part: str
    vocabulary: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        """Return the words, parted at white space."""
        return self.text.split()


Alter = Callable[[Quote, random.Random], str | None]


def bare(word: str) -> str:
    """Return a word in small letters without the marks around it."""
    return re.sub(r"^\W+|\W+$", "", word).casefold()


def change_word(quote: Quote, dice: random.Random) -> str | None:
    """Put another word of the source in the place of one."""
    words = quote.words
    place = dice.randrange(len(words))
    other = dice.choice(quote.vocabulary)
    if bare(other) == bare(words[place]) or bare(words[place]) in FILLERS:
        return None
    return _put(words, place, other)


def add_word(quote: Quote, dice: random.Random) -> str | None:
    """Put one more word in."""
    place = dice.randrange(1, len(quote.words))
    word = dice.choice(["not", "very", "always", "nicht", "pas", "nunca"])
    return _put(quote.words, place, f"{word} {quote.words[place]}")


def leave_out_word(quote: Quote, dice: random.Random) -> str | None:
    """Leave a word in the middle out that is no filler."""
    words = quote.words
    place = dice.randrange(1, len(words) - 1) if len(words) > 2 else 0
    if not bare(words[place]) or bare(words[place]) in FILLERS or not place:
        return None
    return " ".join([*words[:place], *words[place + 1 :]])


def glue_turns(quote: Quote, dice: random.Random) -> str | None:
    """Join the end of one turn to the beginning of the next."""
    words, others = quote.words, quote.next_part.split()
    if len(others) < 2 or quote.after.strip():
        return None
    count = dice.randrange(2, min(len(others), 8) + 1)
    return " ".join([*words[-dice.randrange(2, len(words) + 1) :], *others[:count]])


def change_number(quote: Quote, dice: random.Random) -> str | None:
    """Change one digit, or one number in words."""
    digits = [match.start() for match in re.finditer(r"\d", quote.text)]
    if digits:
        place = dice.choice(digits)
        other = str((int(quote.text[place]) + dice.randrange(1, 10)) % 10)
        return quote.text[:place] + other + quote.text[place + 1 :]
    return _change_spoken_number(quote, dice)


def _change_spoken_number(quote: Quote, dice: random.Random) -> str | None:
    tables = [line.split() for line in _NUMBER_WORDS]
    words = quote.words
    found = [
        (place, table)
        for place, word in enumerate(words)
        for table in tables
        if bare(word) in table
    ]
    if not found:
        return None
    place, table = dice.choice(found)
    other = dice.choice([each for each in table if each != bare(words[place])])
    return _put(words, place, other)


def drop_negation(quote: Quote, dice: random.Random) -> str | None:
    """Leave the negation out: "can't" becomes "can"."""
    words = quote.words
    places = [i for i, word in enumerate(words) if bare(word) in NEGATIONS]
    if places:
        place = dice.choice(places)
        return " ".join([*words[:place], *words[place + 1 :]]) or None
    told = _CONTRACTED.sub(lambda match: _positive(match[1]), quote.text)
    return told if told != quote.text else None


def _positive(stem: str) -> str:
    return {"ca": "can", "wo": "will"}.get(stem, stem)


def cut_inside_word(quote: Quote, dice: random.Random) -> str | None:
    """Cut within the first or the last word."""
    words = quote.words
    end = dice.choice([0, -1])
    letters = re.fullmatch(r"\w{3,}", words[end])
    if not letters:
        return None
    keep = dice.randrange(1, len(words[end]) - 1)
    words[end] = words[end][-keep:] if end == 0 else words[end][:keep]
    return " ".join(words)


def cut_beside_negation(quote: Quote, dice: random.Random) -> str | None:
    """Begin right after a negation, or end right before it."""
    words = quote.words
    cuts = []
    for place, word in enumerate(words):
        if bare(word) in NEGATIONS and word == bare(word):
            before = " ".join(words[:place])
            after = " ".join(words[place + 1 :])
            cuts += [cut for cut in (after, before) if _is_enough(cut)]
    cuts = [cut for cut in cuts if cut[-1].isalnum() or quote.text.endswith(cut)]
    return dice.choice(cuts) if cuts else None


def reorder(quote: Quote, dice: random.Random) -> str | None:
    """Say the second half first."""
    words = quote.words
    place = dice.randrange(1, len(words))
    return " ".join([*words[place:], *words[:place]])


def use_synonym(quote: Quote, dice: random.Random) -> str | None:
    """Say one word in another way."""
    words = quote.words
    places = [i for i, word in enumerate(words) if bare(word) in _SYNONYMS]
    if not places:
        return None
    place = dice.choice(places)
    return _put(words, place, _SYNONYMS[bare(words[place])])


def take_as_is(quote: Quote, dice: random.Random) -> str | None:
    """Say it letter by letter."""
    return quote.text


def cut_at_border(quote: Quote, dice: random.Random) -> str | None:
    """Leave words out at either end, and no negation beside what stays."""
    words = quote.words
    start = dice.randrange(0, max(1, len(words) - 2))
    end = dice.randrange(start + 2, len(words) + 1)
    cut = " ".join(words[start:end])
    beside = {bare(word) for word in (*words[start - 1 : start], *words[end : end + 1])}
    turned = any(word in NEGATIONS or "n't" in word for word in beside)
    return None if turned or not _is_enough(cut) or cut == quote.text else cut


def space_out(quote: Quote, dice: random.Random) -> str | None:
    """Break lines, double spaces, or use spaces that do not break."""
    space = dice.choice(["\n", "  ", "\u00a0", " \n ", "\t"])
    return quote.text.replace(" ", space) if " " in quote.text else None


def change_case(quote: Quote, dice: random.Random) -> str | None:
    """Write it in capitals, in small letters, or with a capital first."""
    return dice.choice([str.upper, str.lower, str.capitalize])(quote.text)


def change_quote_marks(quote: Quote, dice: random.Random) -> str | None:
    """Curl the straight marks and straighten the curly ones."""
    told = quote.text.translate(str.maketrans("'\"’“”", '’“\'""'))
    return told if told != quote.text else f"“{quote.text}”"


def change_dashes(quote: Quote, dice: random.Random) -> str | None:
    """Write another hyphen, or a long dash for a comma."""
    told = quote.text.replace("-", dice.choice(["‐", "‑"]))
    told = told.replace(", ", " – ", 1)
    return told if told != quote.text else None


def use_ligatures(quote: Quote, dice: random.Random) -> str | None:
    """Write what fonts and decompositions make of letters."""
    told = quote.text.replace("fi", "ﬁ").replace("fl", "ﬂ").replace("...", "…")
    told = unicodedata.normalize("NFD", told)
    return told if told != quote.text else None


def leave_out_fillers(quote: Quote, dice: random.Random) -> str | None:
    """Leave out one "uh" between pauses."""
    told = _PAUSED.sub("", quote.text, count=1)
    return told if told != quote.text and len(told.split()) > 5 else None


def change_punctuation(quote: Quote, dice: random.Random) -> str | None:
    """Write other marks between the words, or none."""
    told = re.sub(r"(?<=[^\W\d])[,;](?= )", dice.choice(["", ";", "."]), quote.text)
    told = told.rstrip(".!?,;") + dice.choice(["", ".", "!", "..."])
    return told if told != quote.text else None


def _put(words: list[str], place: int, word: str) -> str:
    return " ".join([*words[:place], word, *words[place + 1 :]])


def _is_enough(cut: str) -> bool:
    return len(cut) >= 8 and len(cut.split()) >= 2


FALSE: Mapping[str, Alter] = {
    "one word changed": change_word,
    "one word added": add_word,
    "one word left out": leave_out_word,
    "two turns glued": glue_turns,
    "number changed": change_number,
    "negation dropped": drop_negation,
    "cut inside a word": cut_inside_word,
    "cut beside a negation": cut_beside_negation,
    "paraphrase: reordered": reorder,
    "paraphrase: synonym": use_synonym,
}
TRUE: Mapping[str, Alter] = {
    "letter by letter": take_as_is,
    "cut between words": cut_at_border,
    "white space": space_out,
    "case": change_case,
    "quote marks": change_quote_marks,
    "dashes": change_dashes,
    "ligatures, accents": use_ligatures,
    "fillers left out": leave_out_fillers,
    "punctuation": change_punctuation,
}
