"""A thousand streams, cut anywhere: an end is only told that the upstream told."""

from itertools import pairwise
from random import Random

import pytest
from fakes import FakeClock
from socket_scene import RAW, REQUEST
from stream_scene import stream_scene
from stream_steps import DONE, tokens

from flaskllm.core.errors import LLMAPIError, LLMProtocolError, LLMUnavailable
from flaskllm.llm.patience import Policy
from flaskllm.llm.providers import build_provider
from flaskllm.llm.streams import Chunk

WORDS = [f"wörd{number} " for number in range(12)]
EVENTS = tokens(*WORDS)
WIRE = b"".join(EVENTS)
PASSED_ON = b"".join([*EVENTS[:-2], DONE])
FINISHED = len(b"".join(EVENTS[:-2]))
"""From here on the upstream has said its finish."""


def cut(random, place):
    """Return pieces of the wire up to here, and how it ends."""
    marks = sorted(random.randrange(place + 1) for _ in range(random.randrange(6)))
    edges = [0, *marks, place]
    pieces = [WIRE[a:b] for a, b in pairwise(edges) if a < b]
    ending = random.choice([[], [LLMProtocolError()], [LLMUnavailable()]])
    return [*pieces, *ending]


def read(steps, request):
    """Return the pieces that a caller gets, and whether they end well."""
    provider = build_provider("vllm", None, None, FakeClock())
    shown = stream_scene(provider=provider, policy=Policy(retries=0), a=[steps])
    heard = []
    try:
        for piece in shown.stream(request):
            heard += [piece] if piece else []
    except LLMAPIError:
        return heard, False, shown
    return heard, True, shown


@pytest.mark.parametrize("request_", [RAW, REQUEST], ids=["bytes", "chunks"])
def test_a_cut_stream_is_a_prefix_and_ends_well_only_where_it_was_finished(request_):
    random = Random(3)
    places = [*range(len(WIRE) - 100, len(WIRE) + 1)]
    places += [random.randrange(len(WIRE)) for _ in range(500 - len(places))]

    for place in places:
        heard, ended_well, shown = read(cut(random, place), request_)

        assert ended_well is (place >= FINISHED), place
        assert len(shown.ended) == 1
        assert (shown.outcome.code == "OK") is ended_well
        check_prefix(heard, ended_well)


def check_prefix(heard, ended_well):
    """Hold what was heard against what the upstream wanted to say."""
    if heard and isinstance(heard[0], bytes):
        out = b"".join(heard)
        assert PASSED_ON.startswith(out)
        assert (out == PASSED_ON) is ended_well
        return
    chunks = [each for each in heard if isinstance(each, Chunk)]
    words = "".join(each.text for each in chunks)
    assert "".join(WORDS).startswith(words)
    assert any(each.finish_reason for each in chunks) is ended_well
