"""ROUGE: how much of a reference text a summary holds, and the reverse.

The measures of C.-Y. Lin, "ROUGE: A Package for Automatic Evaluation of
Summaries" (ACL workshop Text Summarization Branches Out, 2004). Tokens are
runs of letters and digits in lower case. Nothing is stemmed and no word is left
out, so figures are a little below those of tools that stem.
"""

import re
from collections import Counter
from dataclasses import dataclass

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Score:
    """Precision and recall in 0..1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Return the harmonic mean of precision and recall; 0 when both are 0."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def tokenise(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return _WORD.findall(text.lower())


def rouge_n(candidate: str, reference: str, n: int) -> Score:
    """Return ROUGE-N: the overlap of n-grams, each counted as often as in both."""
    found, wanted = _ngrams(candidate, n), _ngrams(reference, n)
    return _score((found & wanted).total(), found.total(), wanted.total())


def rouge_l(candidate: str, reference: str) -> Score:
    """Return ROUGE-L: the longest common subsequence of the two whole texts."""
    found, wanted = tokenise(candidate), tokenise(reference)
    return _score(_common_length(found, wanted), len(found), len(wanted))


def _ngrams(text: str, n: int) -> Counter[tuple[str, ...]]:
    words = tokenise(text)
    return Counter(zip(*(words[start:] for start in range(n)), strict=False))


def _score(common: int, found: int, wanted: int) -> Score:
    return Score(common / found if found else 0.0, common / wanted if wanted else 0.0)


def _common_length(left: list[str], right: list[str]) -> int:
    """Return the length of the longest common subsequence (one row at a time)."""
    row = [0] * (len(right) + 1)
    for word in left:
        diagonal = 0
        for index, other in enumerate(right, start=1):
            above = row[index]
            row[index] = diagonal + 1 if word == other else max(above, row[index - 1])
            diagonal = above
    return row[-1]
