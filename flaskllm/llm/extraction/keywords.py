"""Keywords by RAKE: what stands between the words that carry no subject.

S. Rose, D. Engel, N. Cramer and W. Cowley, "Automatic Keyword Extraction from
Individual Documents" (in Text Mining: Applications and Theory, 2010). A candidate
is a run of words between stop words and punctuation. The score of a word is its
degree over its frequency, that of a candidate the sum of its words; here times
how often the candidate occurs, because in long speech a phrase said once is
chance. Dates, amounts, addresses and the names of who speaks are left out: they
have their own places.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache

from flaskllm.core import entities
from flaskllm.llm.extraction.people import read_people
from flaskllm.llm.extraction.reading import Sentence
from flaskllm.llm.extraction.words import (
    empty_words,
    is_bare,
    is_dense,
    split_words,
    word_pattern,
)

_MOST_KEYWORDS = 10
_MOST_WORDS = 3
_MOST_DENSE_CHARACTERS = 8
# What may stand inside a phrase; anything else ends it.
_JOINTS = frozenset({" ", "-"})
_Words = tuple[str, ...]


def find_keywords(sentences: Sequence[Sentence]) -> list[str]:
    """Return at most ten keywords, best first, each as it stands in a passage.

    No keyword is part of one before it, and none holds a stop word or is a mere
    number.
    """
    names = read_people(sentences).words()
    shown = [sentence for sentence in sentences if sentence.shown]
    forms: dict[_Words, str] = {}
    counts: Counter[_Words] = Counter()
    for sentence in shown:
        for phrase in _find_candidates(sentence):
            words = tuple(split_words(phrase))
            if not names.issuperset(words):
                forms.setdefault(words, phrase)
                counts[words] += 1
    scores = _score(counts)
    best = sorted(counts, key=lambda words: (-scores[words], words))
    return [forms[words] for words in _drop_contained(best)]


def _find_candidates(sentence: Sentence) -> Iterator[str]:
    """Yield the phrases of what is neither a date nor an address nor an amount."""
    named = [(mention.start, mention.end) for mention in sentence.mentions]
    named += [(entity.start, entity.end) for entity in entities.find(sentence.text)]
    position = 0
    for start, end in sorted(named):
        yield from _find_phrases(sentence.text[position:start], sentence.language)
        position = max(position, end)
    yield from _find_phrases(sentence.text[position:], sentence.language)


def _find_phrases(text: str, language: str) -> Iterator[str]:
    """Yield the runs of up to three words of substance."""
    run: list[re.Match[str]] = []
    for match in word_pattern().finditer(text):
        if run and text[run[-1].end() : match.start()] not in _JOINTS:
            yield from _join(text, run)
            run = []
        if is_dense(match[0]):
            yield from _split_dense(match[0], language)
        elif _is_empty(match[0], language):
            yield from _join(text, run)
            run = []
        else:
            run.append(match)
    yield from _join(text, run)


def _is_empty(word: str, language: str) -> bool:
    return word.casefold() in empty_words(language) or is_bare(word)


def _join(text: str, run: Sequence[re.Match[str]]) -> Iterator[str]:
    if 1 <= len(run) <= _MOST_WORDS:
        yield text[run[0].start() : run[-1].end()]


def _split_dense(run: str, language: str) -> Iterator[str]:
    """Yield what stands between the stop words of a script without spaces."""
    for piece in _dense_separator(language).split(run):
        if 2 <= len(piece) <= _MOST_DENSE_CHARACTERS:
            yield piece


@cache
def _dense_separator(language: str) -> re.Pattern[str]:
    # Hiragana writes the endings and particles of Japanese, rarely a subject.
    words = sorted(filter(is_dense, empty_words(language)), key=lambda w: (-len(w), w))
    return re.compile("|".join(["[\u3040-\u309f]+", *map(re.escape, words)]))


def _score(counts: Counter[_Words]) -> dict[_Words, float]:
    """Return `count * sum(degree(word) / frequency(word))` of each candidate."""
    frequency: Counter[str] = Counter()
    degree: Counter[str] = Counter()
    for words, count in counts.items():
        for word in words:
            frequency[word] += count
            degree[word] += count * len(words)
    return {
        words: count
        * sum(degree[word] / frequency[word] for word in dict.fromkeys(words))
        for words, count in counts.items()
    }


def _drop_contained(candidates: Sequence[_Words]) -> list[_Words]:
    """Keep the first ten that share no more than half their words with one kept."""
    kept: list[_Words] = []
    for words in candidates:
        overlaps = (len({*words} & {*other}) * 2 > len({*words}) for other in kept)
        if not any(overlaps):
            kept.append(words)
        if len(kept) == _MOST_KEYWORDS:
            break
    return kept
