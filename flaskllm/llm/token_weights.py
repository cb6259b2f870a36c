"""How many tokens a piece of text takes, for each family of tokenizers: the figures.

Fitted as `tokens` says; nothing here was derived from a vocabulary's contents.
"""

from collections.abc import Mapping
from typing import Literal

Family = Literal[
    "careful", "o200k", "cl100k", "qwen", "tekken", "sentencepiece", "claude"
]
"""Tokenizers that cut alike; `careful` is no tokenizer, but as many as any takes."""

_COLUMNS: tuple[Family, ...] = (
    "o200k", "cl100k", "qwen", "tekken", "sentencepiece", "careful",
)  # fmt: skip

# No vocabulary of Claude's is public. What people measured is 1.1 to 1.3 times the
# count of o200k for English and code, which `careful` alone does not always reach.
_CLAUDE_FACTOR = 1.2

# What each letter of a word adds. Rare ones stand for a language that is rare in the
# vocabulary, in which words are cut into more pieces. Absent ones add nothing.
_LETTERS: Mapping[str, tuple[float, ...]] = {
    "a": (0.06, 0.2, 0.39, 0.2, 0.31, 0.31),
    "b": (0.38, 0.67, 0.73, 0.49, 1.22, 1.19),
    "c": (0.12, 0.33, 0.09, 0.0, 0.49, 0.49),
    "d": (0.07, 0.09, 0.28, 0.25, 0.33, 0.34),
    "e": (0.0, 0.03, 0.08, 0.0, 0.11, 0.11),
    "g": (0.44, 1.06, 0.31, 0.65, 1.3, 1.3),
    "i": (0.1, 0.0, 0.02, 0.0, 0.16, 0.16),
    "j": (1.3, 1.3, 1.3, 1.3, 1.3, 1.3),
    "k": (0.53, 0.64, 0.82, 0.93, 0.56, 0.57),
    "l": (0.31, 0.04, 0.01, 0.01, 0.0, 0.0),
    "m": (0.0, 0.0, 0.0, 0.07, 0.23, 0.23),
    "n": (0.03, 0.24, 0.21, 0.01, 0.19, 0.19),
    "o": (0.29, 0.4, 0.41, 0.29, 0.18, 0.18),
    "p": (0.0, 0.0, 0.03, 0.0, 0.0, 0.0),
    "q": (0.82, 1.27, 1.3, 1.3, 1.3, 1.3),
    "r": (0.2, 0.0, 0.27, 0.21, 0.09, 0.1),
    "u": (0.0, 0.41, 0.55, 0.12, 0.17, 0.18),
    "v": (1.3, 1.3, 1.3, 1.22, 1.3, 1.3),
    "w": (0.73, 0.0, 0.18, 0.82, 0.0, 0.0),
    "x": (0.04, 0.11, 0.09, 0.15, 0.17, 0.17),
    "z": (1.3, 1.3, 1.3, 1.3, 1.3, 1.3),
}

# What each character of a class adds, in any run.
_CHARACTERS: Mapping[str, tuple[float, ...]] = {
    "digit": (0.0, 0.0, 0.48, 0.37, 0.63, 0.62),
    "marked": (0.91, 2.2, 1.13, 1.06, 2.31, 2.3),
    "vietnamese": (0.0, 0.21, 0.0, 0.0, 1.08, 1.08),
    "cyrillic": (0.34, 0.56, 0.42, 0.36, 0.48, 0.53),
    "ukrainian": (0.39, 1.47, 2.02, 0.72, 0.0, 1.81),
    "greek": (0.41, 1.06, 1.04, 0.45, 1.19, 1.19),
    "hebrew": (0.41, 1.11, 0.43, 0.55, 1.23, 1.23),
    "arabic": (0.31, 0.81, 0.27, 0.34, 1.04, 1.04),
    "indic": (0.36, 1.26, 1.18, 0.51, 1.31, 1.31),
    "kana": (0.77, 0.96, 0.31, 0.7, 0.82, 0.74),
    "han": (0.83, 1.19, 0.45, 1.03, 1.43, 1.51),
    "hangul": (0.67, 1.22, 0.61, 0.7, 1.48, 1.48),
    "wide": (0.5, 0.5, 0.52, 0.5, 0.5, 0.5),
    "symbol": (0.5, 0.5, 0.5, 0.5, 0.5, 0.5),
    "emoji": (2.0, 2.0, 2.0, 2.0, 3.5, 3.5),
    "other": (1.5, 1.5, 1.5, 1.5, 3.0, 3.0),
}

# What a run of one class adds once; `more` and `long` say from where on each character
# of it adds something again, and `three digits` is added for each begun group of three.
_RUNS: Mapping[str, tuple[float, ...]] = {
    "word": (0.47, 0.5, 0.3, 0.53, 0.47, 0.47),
    "long word": (0.12, 0.05, 0.32, 0.23, 0.12, 0.12),
    "capitals": (0.39, 0.27, 0.54, 0.39, 0.52, 0.52),
    "more capitals": (0.54, 0.61, 0.57, 0.65, 0.66, 0.66),
    "three digits": (1.46, 1.45, 1.5, 1.75, 1.17, 1.18),
    "signs": (0.87, 0.72, 0.76, 0.91, 1.13, 1.13),
    "more signs": (0.56, 0.39, 0.24, 0.53, 0.31, 0.31),
    "blanks": (0.14, 0.11, 0.09, 0.0, 0.0, 0.0),
    "more blanks": (1.07, 1.01, 0.95, 0.84, 1.09, 1.1),
    "line breaks": (0.25, 0.41, 0.25, 0.61, 1.03, 1.02),
    "arabic run": (0.0, 0.0, 1.0, 0.0, 0.0, 0.0),
    "kana run": (0.0, 1.0, 1.0, 0.0, 1.0, 0.85),
    "han run": (0.0, 0.0, 0.59, 0.0, 0.0, 0.0),
    "hangul run": (0.0, 0.0, 1.0, 0.0, 0.0, 0.0),
    "wide run": (0.0, 1.0, 1.0, 0.0, 0.0, 0.0),
    "symbol run": (2.09, 1.33, 0.42, 1.75, 0.0, 0.0),
}

WEIGHTS: Mapping[Family, Mapping[str, float]] = {
    family: {
        name: row[column]
        for table in (_LETTERS, _CHARACTERS, _RUNS)
        for name, row in table.items()
    }
    for column, family in enumerate(_COLUMNS)
}
"""By family, then by the letter or by the name of the class."""

# As far as the recorded counts allow, estimates are raised: too few is worse.
FACTORS: Mapping[Family, tuple[Family, float]] = {
    "o200k": ("o200k", 1.05),
    "cl100k": ("cl100k", 1.02),
    "qwen": ("qwen", 0.99),
    "tekken": ("tekken", 1.06),
    "sentencepiece": ("sentencepiece", 1.04),
    "careful": ("careful", 1.04),
    "claude": ("careful", _CLAUDE_FACTOR),
}
"""Whose weights a family takes, and what the sum is multiplied by."""
