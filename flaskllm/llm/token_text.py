"""Weighs a text: the pieces that any tokenizer cuts it into, and what each takes."""

import re
from collections import Counter
from collections.abc import Callable, Mapping

from flaskllm.llm.token_weights import FACTORS, WEIGHTS, Family

# Characters of one class next to each other make one run. Letters with marks are those
# of Latin and its extensions; a letter of any other script stands under `other`.
_LOWER = "a-zß-öø-ÿāăąćĉċčďđēėęěğģħīįıķļłńņňŋōőœŕřśşšťũūůűųźżžșțơưḀ-ỿ"
_UPPER = "A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĦĪĮİĶĻŁŃŅŇŌŐŒŔŘŚŞŠŤŪŮŰŲŹŻŽȘȚ"
_CLASSES: Mapping[str, str] = {
    "lower": _LOWER,
    "upper": _UPPER,
    "digits": "0-9",
    "breaks": r"\r\n",
    "blanks": r" \t",
    "signs": r"!-/:-@\[-`{-~",
    "cyrillic": r"\u0400-\u052f",
    "greek": r"\u0370-\u03ff\u1f00-\u1fff",
    "hebrew": r"\u0530-\u05ff",
    "arabic": r"\u0600-\u08ff",
    "indic": r"\u0900-\u109f",
    "kana": r"\u3040-\u30ff",
    "han": r"\u3400-\u9fff",
    "hangul": r"\uac00-\ud7af",
    "wide": r"\u3000-\u303f\uff00-\uffef",
    "emoji": r"\U00010000-\U0010ffff",
    "symbol": r"\u0080-\u00bf\u2000-\u2bff",
}
_ANY_RUN = re.compile("|".join(f"[{each}]+" for each in _CLASSES.values()) + "|(?s:.)")
_NAMED_RUN = re.compile(
    "|".join(f"(?P<{name}>[{each}]+)" for name, each in _CLASSES.items())
)
_UKRAINIAN = frozenset("іїєґІЇЄҐ")

# So many characters are cut at a time: the runs of a long text would fill the memory.
_SLICE = 65_536
# Of a longer text the rest is taken to be like the start. It fits no context anyway.
_MOST_READ = 32 * _SLICE

Weights = Mapping[str, float]


def weigh(text: str, family: Family) -> float:
    """Return about how many tokens the text takes, not rounded.

    The sum over its runs: what a run of its class takes once, what each of its
    characters takes, and more for long ones. More text never weighs less.
    """
    source, factor = FACTORS[family]
    weights = WEIGHTS[source]
    runs: Counter[str] = Counter()
    for start in range(0, min(len(text), _MOST_READ), _SLICE):
        runs.update(_ANY_RUN.findall(text[start : start + _SLICE]))
    total = sum(count * _run(run, weights) for run, count in runs.items())
    return factor * total * max(1.0, len(text) / _MOST_READ)


def _run(run: str, weights: Weights) -> float:
    """Return what one run takes."""
    found = _NAMED_RUN.match(run)
    name = found.lastgroup if found else None
    rule = _RULES.get(name or "")
    if rule is not None:
        return rule(run, weights)
    if name is None:
        return weights["other"] * len(run)
    return weights.get(f"{name} run", 0.0) + weights[name] * len(run)


def _lower(run: str, weights: Weights) -> float:
    letters = sum(weights.get(letter, 0.0) for letter in run)
    longer = max(0, len(run) - 8) * weights["long word"]
    return weights["word"] + letters + longer + _marks(run, weights)


def _upper(run: str, weights: Weights) -> float:
    more = (len(run) - 1) * weights["more capitals"]
    return weights["capitals"] + more + _marks(run, weights)


def _marks(run: str, weights: Weights) -> float:
    if run.isascii():
        return 0.0
    kinds = ("vietnamese" if sign >= "Ḁ" else "marked" for sign in run if sign > "~")
    return sum(weights[kind] for kind in kinds)


def _digits(run: str, weights: Weights) -> float:
    groups = -(-len(run) // 3)
    return groups * weights["three digits"] + len(run) * weights["digit"]


def _signs(run: str, weights: Weights) -> float:
    return weights["signs"] + max(0, len(run) - 2) * weights["more signs"]


def _blanks(run: str, weights: Weights) -> float:
    return weights["blanks"] + (weights["more blanks"] if len(run) > 1 else 0.0)


def _breaks(run: str, weights: Weights) -> float:
    return weights["line breaks"]


def _cyrillic(run: str, weights: Weights) -> float:
    rare = sum(sign in _UKRAINIAN for sign in run)
    return len(run) * weights["cyrillic"] + rare * weights["ukrainian"]


_RULES: Mapping[str, Callable[[str, Weights], float]] = {
    "lower": _lower,
    "upper": _upper,
    "digits": _digits,
    "signs": _signs,
    "blanks": _blanks,
    "breaks": _breaks,
    "cyrillic": _cyrillic,
}
