"""Which sentences stand for the whole: TextRank, then maximal marginal relevance.

The rank of a sentence is that of R. Mihalcea and P. Tarau, "TextRank: Bringing
Order into Texts" (EMNLP 2004): sentences recommend each other by the words that
they share. From the ranking sentences are taken as J. Carbonell and J. Goldstein
do in "The Use of MMR, Diversity-Based Reranking" (SIGIR 1998): each next one has
the best rank for the least repetition of those already taken.

Only the 1,000 sentences that share most words with the others take part. That
measure is linear in the length of the text and is the numerator of TextRank's
own; so the quadratic part has a bound, whatever the document's length.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from flaskllm.llm.extraction.reading import Sentence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

_MOST_CANDIDATES = 1_000
# A sentence that reads well alone: no "Yeah, exactly", no breathless speech.
_FEWEST_WORDS = 6
_MOST_WORDS = 40
_FEWEST_TERMS = 3
_DAMPING = 0.85
# What is left of the start after so many rounds is 0.85 ** 100 = 9e-8.
_ROUNDS = 100
# The weight of rank against repetition. 0.7 to 0.9 score alike on nine meetings.
_RELEVANCE = 0.8
# A summary leaves out at least half of the words.
_LARGEST_SHARE = 0.5


def choose(sentences: Sequence[Sentence], words: int) -> list[Sentence]:
    """Return the sentences of a summary, best first.

    They hold at most `words` words together and at most half of those shown;
    there is one sentence at least, the shortest one if need be, when a word is
    shown at all.
    """
    shown_words = sum(sentence.length for sentence in sentences if sentence.shown)
    room = min(words, int(shown_words * _LARGEST_SHARE))
    candidates = _keep_connected(_drop_repeated(_find_readable(sentences)))
    chosen = _take(candidates, room)
    return chosen or _choose_shortest(candidates or sentences)


def rank(sentences: Sequence[Sentence]) -> "tuple[Matrix, Matrix]":
    """Return TextRank's score of each sentence, and how much any two are alike.

    The weight between two sentences is `shared / (log |a| + log |b|)`, with the
    number of shared terms and of terms; the score is the stationary probability
    of a walk along these weights that starts anew with probability 0.15.
    Likeness is the cosine `shared / sqrt(|a| |b|)`.
    """
    import numpy as np  # 0.1 s; only who extracts pays it

    has_term = _incidence(sentences)
    # The counts are small whole numbers: this product is exact in any order.
    shared = (has_term @ has_term.T).astype(np.float64)
    sizes = np.array([len(set(sentence.terms)) for sentence in sentences], float)
    logs = np.log(sizes + 1)
    weights = shared / np.add.outer(logs, logs)
    np.fill_diagonal(weights, 0.0)
    likeness = shared / np.sqrt(np.outer(sizes, sizes))
    # Ties must fall alike on every processor: what rounding leaves is not told apart.
    return np.round(_walk(weights), 9), likeness


def _find_readable(sentences: Sequence[Sentence]) -> list[Sentence]:
    """Return the sentences that read well alone, or any with a term."""
    readable = [sentence for sentence in sentences if _is_readable(sentence)]
    if any(sentence.shown for sentence in readable):
        return readable
    return [sentence for sentence in sentences if sentence.terms]


def _is_readable(sentence: Sentence) -> bool:
    fits = _FEWEST_WORDS <= sentence.length <= _MOST_WORDS
    return fits and len(set(sentence.terms)) >= _FEWEST_TERMS


def _drop_repeated(sentences: Sequence[Sentence]) -> list[Sentence]:
    """Keep of equal sentences one; one that is shown, where there is one."""
    by_shown = sorted(sentences, key=lambda sentence: not sentence.shown)
    first = {sentence.folded: sentence for sentence in reversed(by_shown)}
    return [sentence for sentence in sentences if first[sentence.folded] is sentence]


def _keep_connected(sentences: list[Sentence]) -> list[Sentence]:
    """Keep the 1,000 sentences that share most words with all the others."""
    if len(sentences) <= _MOST_CANDIDATES:
        return sentences
    spread = Counter(term for sentence in sentences for term in set(sentence.terms))
    shared = [sum(spread[term] - 1 for term in set(s.terms)) for s in sentences]
    best = sorted(range(len(sentences)), key=lambda i: (-shared[i], i))
    return [sentences[index] for index in sorted(best[:_MOST_CANDIDATES])]


def _take(sentences: Sequence[Sentence], room: int) -> list[Sentence]:
    import numpy as np

    if not sentences:
        return []
    scores, likeness = rank(sentences)
    scores = scores / scores.max()
    repetition = np.zeros(len(sentences))
    open_ = np.array([sentence.shown for sentence in sentences])
    lengths = np.array([sentence.length for sentence in sentences])
    chosen: list[Sentence] = []
    while (open_ := open_ & (lengths <= room)).any():
        worth = _RELEVANCE * scores - (1 - _RELEVANCE) * repetition
        best = int(np.argmax(np.where(open_, np.round(worth, 9), -np.inf)))
        chosen.append(sentences[best])
        open_[best] = False
        room -= int(lengths[best])
        repetition = np.maximum(repetition, likeness[best])
    return chosen


def _choose_shortest(sentences: Sequence[Sentence]) -> list[Sentence]:
    shown = [sentence for sentence in sentences if sentence.shown]
    length: Callable[[Sentence], int] = lambda sentence: sentence.length  # noqa: E731
    return [min(shown, key=length)] if shown else []


def _incidence(sentences: Sequence[Sentence]) -> "NDArray[np.float32]":
    """Return which sentence (row) has which term (column)."""
    import numpy as np

    spread = Counter(term for sentence in sentences for term in set(sentence.terms))
    # All terms are kept, also those of one sentence: likeness counts them.
    columns = {term: column for column, term in enumerate(sorted(spread))}
    has_term = np.zeros((len(sentences), len(columns)), np.float32)
    for row, sentence in enumerate(sentences):
        has_term[row, [columns[term] for term in set(sentence.terms)]] = 1
    return has_term


def _walk(weights: "Matrix") -> "Matrix":
    """Return the stationary probabilities of the walk along the weights."""
    import numpy as np

    size = len(weights)
    totals = weights.sum(axis=1, keepdims=True)
    # Who recommends nobody recommends everybody alike, so that nothing is lost.
    steps = np.where(totals > 0, weights / np.where(totals > 0, totals, 1), 1 / size)
    scores = np.full(size, 1 / size)
    for _ in range(_ROUNDS):
        scores = (1 - _DAMPING) / size + _DAMPING * (scores @ steps)
    return scores
