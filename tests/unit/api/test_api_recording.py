"""A stream is kept as it went out, before its end goes out, if it ended well."""

from dataclasses import dataclass, field

import pytest

from flaskllm.api.recording import Recording
from flaskllm.core.sse import PING


@dataclass
class Body:
    """Gives these pieces; where it ends well is said beforehand."""

    pieces: list
    ends_at: int = 99
    is_well: bool = True
    given: int = 0
    closed: int = 0

    @property
    def is_ending(self):
        return self.given >= self.ends_at

    @property
    def ended_well(self):
        return self.is_well and self.given == len(self.pieces)

    def __iter__(self):
        return self

    def __next__(self):
        if self.given == len(self.pieces):
            raise StopIteration
        self.given += 1
        return self.pieces[self.given - 1]

    def close(self):
        self.closed += 1


@dataclass
class Keeper:
    """Notes what is kept and what is released, and how much was sent by then."""

    kept: list = field(default_factory=list)
    released: list = field(default_factory=list)


@pytest.fixture
def keeper():
    return Keeper()


def recording(body, keeper, most_bytes=100):
    return Recording(body, keeper.kept.append, keeper.released.append, most_bytes)


@pytest.mark.parametrize("ends_at", [1, 2, 3, 99])
def test_the_bytes_that_go_out_are_those_of_the_stream(keeper, ends_at):
    body = Body([b"a", PING, b"b"], ends_at)

    assert b"".join(recording(body, keeper)) == b"a" + PING + b"b"


@pytest.mark.parametrize("ends_at", [1, 2, 3, 99])
def test_what_is_kept_is_all_but_the_signs_of_life(keeper, ends_at):
    passed = recording(Body([b"a", PING, b"b"], ends_at), keeper)

    list(passed)
    passed.close()

    assert (keeper.kept, keeper.released) == ([b"ab"], [])


def test_it_is_kept_before_the_end_goes_out(keeper):
    passed = recording(Body([b"a", b"b", b"end"], ends_at=2), keeper)

    assert next(passed) == b"a"
    assert keeper.kept == []
    assert next(passed) == b"bend"
    assert keeper.kept == [b"abend"]
    assert list(passed) == []


def test_each_piece_goes_out_at_once_until_the_end(keeper):
    body = Body([b"a", b"b", b"end"], ends_at=3)
    passed = recording(body, keeper)

    assert (next(passed), body.given) == (b"a", 1)
    assert (next(passed), body.given) == (b"b", 2)


@pytest.mark.parametrize("ends_at", [2, 99])
def test_a_stream_that_broke_is_released_before_its_error_goes_out(keeper, ends_at):
    passed = recording(Body([b"a", b"error"], ends_at, is_well=False), keeper)

    assert b"".join(passed) == b"aerror"
    passed.close()

    assert (keeper.kept, keeper.released) == ([], [""])


@pytest.mark.parametrize("taken", [0, 1])
def test_a_stream_that_is_left_is_released_once(keeper, taken):
    body = Body([b"a", b"b", b"end"])
    passed = recording(body, keeper)
    for _ in range(taken):
        next(passed)

    passed.close()
    passed.close()

    assert (keeper.kept, keeper.released) == ([], [""])
    assert body.closed == 2


@pytest.mark.parametrize(("most_bytes", "is_kept"), [(6, True), (5, False)])
def test_what_is_too_long_goes_out_and_is_not_kept(keeper, most_bytes, is_kept):
    passed = recording(Body([b"aaa", PING, b"bb", b"c"]), keeper, most_bytes)

    assert b"".join(passed) == b"aaa" + PING + b"bbc"

    assert keeper.kept == ([b"aaabbc"] if is_kept else [])
    assert keeper.released == ([] if is_kept else ["the stream is too long"])


def test_a_stream_whose_closing_fails_is_decided_too(keeper):
    body = Body([b"a"])
    body.close = lambda: 1 / 0
    passed = recording(body, keeper)

    with pytest.raises(ZeroDivisionError):
        passed.close()

    assert keeper.released == [""]
