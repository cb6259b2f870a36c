"""The memory of a digest is bounded by its document, however long that is."""

import tracemalloc
from collections import deque

import pytest
from long_meetings import ReadingModel, make, meeting, order

WORDS = 60_000
TURNS = 250
LONG_TURN = " ".join(["We go up to it, and so on, as it was."] * 26)
# Short words take most; it was 55, which is 12 MB, with names hidden and without.
MOST_BYTES_PER_BYTE = 60


def read(content, redact):
    """Digest a meeting in pieces of 8,192 tokens, and keep no prompt."""
    model = ReadingModel(8192)
    model.requests = deque(maxlen=0)
    return make(model, order(content, redact=redact))


@pytest.mark.no_cover
@pytest.mark.parametrize("redact", [False, True])
def test_a_meeting_of_four_hours_takes_a_bounded_multiple_of_its_size(redact):
    said = {turn: LONG_TURN for turn in range(TURNS) if turn % 10}
    content = meeting(TURNS, extra=said)
    assert len(content.split()) > WORDS
    read(
        meeting(20), redact
    )  # Tables of languages and dates are read once for a process.

    tracemalloc.start()
    try:
        result = read(content, redact)
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(result.digest.action_items) == TURNS // 10
    assert most_bytes < MOST_BYTES_PER_BYTE * len(content)
