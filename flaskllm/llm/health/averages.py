"""Moving averages of how long a deployment takes."""

import math

from flaskllm.llm.health.seats import Seat

# News counts for at least so much, and fully after some such spans of silence.
_LEAST_SHARE = 0.1
_SPAN_SECONDS = 30.0


class MovingAverage:
    """An average that follows the news, the faster the longer there was none.

    ``average += share * (seconds - average)``, with
    ``share = max(0.1, 1 - exp(-t / 30))`` and t the seconds since the last news: an
    exponentially weighted moving average over about ten answers, or half a minute,
    whichever is shorter. Not for several threads at once.
    """

    __slots__ = ("_last_seconds", "seconds")

    def __init__(self) -> None:
        """Start without any; `seconds` is None until then."""
        self.seconds: float | None = None
        self._last_seconds = 0.0

    def add(self, seconds: float, now_seconds: float) -> None:
        """Take in one measurement, in seconds, made now."""
        average = self.seconds
        if average is None:
            self.seconds = seconds
        else:
            silence = now_seconds - self._last_seconds
            share = max(_LEAST_SHARE, -math.expm1(-silence / _SPAN_SECONDS))
            self.seconds = average + share * (seconds - average)
        self._last_seconds = now_seconds


class Paces:
    """The averages of one deployment: of streams and of whole answers.

    Attributes:
        first_tokens: From the start of a stream to its first token.
        answers: From the start to the end of an answer that is not streamed.
    """

    __slots__ = ("answers", "first_tokens")

    def __init__(self) -> None:
        """Start without any."""
        self.first_tokens = MovingAverage()
        self.answers = MovingAverage()

    def time_out(self, seat: Seat, seconds: float, now_seconds: float) -> None:
        """Take in that an attempt took longer than it may.

        At least so long; whoever looks for the fastest has to know. What stalls
        after its first token was not slow to begin.
        """
        if seat.first_token_seconds is None:
            average = self.first_tokens if seat.asking.streams else self.answers
            average.add(seconds, now_seconds)
