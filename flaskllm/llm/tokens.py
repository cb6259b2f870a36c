"""Tokens, counted without a tokenizer: an estimate that errs upward.

The weights were fitted on prose in 22 languages, transcripts, mails, JSON and
code against two tokenizers that differ as much as any: a byte-level BPE with
131,000 entries, and an older SentencePiece with 32,000 that spells most scripts
out. An estimate is 0.85 to 1.25 times the count of the second. It is 1.0 to 1.5
times the count of the first for Latin and Cyrillic prose, and up to 3.7 times
for scripts that only the first knows well. Random strings such as base64 are
the exception: they come out at 0.6.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable

from flaskllm.llm.types import CompletionRequest, Deployment, Message, Usage

# First code point of a class, and how many tokens one of its characters takes.
# A range ends where the next begins.
_WEIGHTS: tuple[tuple[int, float], ...] = (
    (0x00, 0.5),  # controls and line feeds
    (0x20, 0.06),  # the space, mostly part of the word that follows
    (0x21, 0.8),  # punctuation
    (0x30, 1.1),  # digits: many tokenizers give each its own token
    (0x3A, 0.8),  # punctuation
    (0x41, 0.45),  # Latin capitals
    (0x5B, 0.8),  # punctuation
    (0x61, 0.29),  # Latin
    (0x7B, 1.0),  # punctuation and symbols
    (0xC0, 1.7),  # Latin with marks: they cut words into pieces
    (0x370, 1.1),  # Greek
    (0x400, 0.48),  # Cyrillic
    (0x530, 1.25),  # Armenian to the end of the South Asian scripts
    (0x10A0, 1.2),  # Georgian and others
    (0x1E00, 1.7),  # Latin with marks, for Vietnamese
    (0x1F00, 1.25),  # Greek with marks, symbols, Han, kana, Hangul
    (0x10000, 3.5),  # emoji and what else takes four bytes
)
_STARTS = [start for start, _ in _WEIGHTS]

# What the chat template adds around a message, and once for the answer.
_MESSAGE_OVERHEAD = 5
_ANSWER_OVERHEAD = 3


def estimate(text: str) -> int:
    """Return about how many tokens the text takes, rather too many.

    The sum over all characters of the weight of their class, rounded up.
    """
    return math.ceil(_weigh(Counter(text)))


def estimate_messages(messages: Iterable[Message]) -> int:
    """Return about how many tokens the messages take, with their template.

    The sum of the estimates, 5 for each message, and 3 for the answer's start.
    """
    return _ANSWER_OVERHEAD + sum(
        estimate(message.content) + _MESSAGE_OVERHEAD for message in messages
    )


def estimate_usage(messages: Iterable[Message], text: str) -> Usage:
    """Return the usage of an answer whose upstream did not count it well."""
    return Usage(
        input_uncached=estimate_messages(messages),
        output_text=estimate(text),
        source="estimated",
    )


def room_tokens(deployment: Deployment, request: CompletionRequest) -> int | None:
    """Return how many tokens of input fit; None when the window is unknown.

    The window less what is kept for the answer: the cap that the request sets,
    else the deployment's longest answer, but then at most a quarter.
    """
    window = deployment.context_window
    if window is None:
        return None
    cap = output_cap(request, deployment)
    if cap is None:
        cap = min(deployment.max_output_tokens or 0, window // 4)
    return max(0, window - cap)


def output_cap(request: CompletionRequest, deployment: Deployment) -> int | None:
    """Return the request's cap on the answer, no higher than the deployment's."""
    if request.max_output_tokens is None:
        return None
    return min(
        request.max_output_tokens,
        deployment.max_output_tokens or request.max_output_tokens,
    )


def _weigh(characters: Counter[str]) -> float:
    """Sum the weights. A text has few distinct characters, however long it is."""
    return math.fsum(
        count * _WEIGHTS[bisect_right(_STARTS, ord(character)) - 1][1]
        for character, count in characters.items()
    )
