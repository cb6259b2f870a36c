"""Identifiers in free wording come from the source, in whatever spelling."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from flaskllm.inputs import parse
from flaskllm.services.digests.ground import Ground
from flaskllm.services.digests.verify import say

TEXT = b"Please pay invoice INV 2024/17 of our shop."


@pytest.fixture
def ground():
    document = parse(TEXT, media_type="text/plain", source=None)
    return Ground.of(document, datetime(2026, 1, 5, tzinfo=UTC), "en", "en")


@pytest.mark.parametrize(
    ("wording", "said", "taken_out"),
    [
        ("Pay INV-2024-17", "Pay INV-2024-17", 0),
        ("Pay INV-2024-18", "Pay [code removed]", 1),
        ("Pay INV-2024-18 and INV-2024-19", "Pay [code removed] and [code removed]", 2),
        ("Pay in Q3", "Pay in Q3", 0),
    ],
)
def test_one_from_elsewhere_is_taken_out_and_counted(ground, wording, said, taken_out):
    counts = Counter()

    assert say(wording, ground, counts) == said
    assert counts["code_not_in_source"] == taken_out
