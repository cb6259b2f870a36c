"""A stream that breaks, and a walk that a test scripts to go on with.

The walk asks the scripted streams in their order, whatever went wrong: what a rescue
makes of them is seen alone.
"""

from dataclasses import dataclass, field

from fakes import FakeClock
from stream_scene import REQUEST, FakeStream, LineReader

from flaskllm.core.clock import Deadline
from flaskllm.core.errors import LLMAPIError
from flaskllm.llm.live_stream import LiveStream
from flaskllm.llm.open_stream import OpenStream
from flaskllm.llm.rescue import Rescue
from flaskllm.llm.settlement import Settlement
from flaskllm.llm.streams import Chunk, Seam
from flaskllm.llm.types import Attempt, Call, Deployment

NO_MORE = LLMAPIError(details="No other deployment is left.")


@dataclass
class ScriptedWalk:
    """Asks deployment after deployment; `streams` are steps, or an error each."""

    call: Call
    streams: list
    names: list
    rescue: str = "match"
    may_continue: bool = False
    rescue_note: str = ""
    failures: tuple = ()
    heard: list = field(default_factory=list)
    opened: list = field(default_factory=list)
    asked: list = field(default_factory=list)

    def go_on(self, error, ask):
        self.heard.append(error)
        self.failures = tuple(dict.fromkeys(each.code for each in self.heard))
        if not self.streams:
            raise NO_MORE
        name = self.names.pop(0)
        deployment = Deployment(name, name, "vllm", f"m-{name}")
        number = len(self.heard) + 1
        made = Attempt(number, f"to-{name}", deployment, self.rescue_note)
        settlement = Settlement(made, self.call)
        try:
            return ask(self, settlement)
        except BaseException as failed:
            settlement.tell_error(failed)
            raise

    def open(self, request, walk, settlement, reads=None):
        self.asked.append((request, reads))
        steps = self.streams.pop(0)
        if isinstance(steps, BaseException):
            raise steps
        clock = self.call.deadline.clock
        stream = FakeStream(clock, list(steps))
        self.opened.append(stream)
        reader = LineReader((reads or request).body is not None)
        opened = OpenStream(request, stream, reader, settlement, clock)
        opened.hold_until_token(None)
        return opened


@dataclass
class RescueScene:
    """An answer whose first stream is deployment a's; b, c, ... go on."""

    answer: LiveStream
    walk: ScriptedWalk
    clock: FakeClock
    ended: list

    @property
    def codes(self):
        return [outcome.code for _, outcome in self.ended]


def rescue_scene(*streams, request=REQUEST, names="bcdef", rescue="match"):
    """Begin to stream the first of them, in chunks where the request has no body."""
    clock, ended = FakeClock(), []
    call = Call(
        Deadline.after(300.0, clock),
        clock.sleep,
        lambda attempt: None,
        lambda attempt, outcome: ended.append((attempt, outcome)),
    )
    walk = ScriptedWalk(call, list(streams), list(names), rescue)
    first = Settlement(Attempt(1, "main", Deployment("a", "a", "vllm", "m-a")), call)
    source = walk.open(request, walk, first)
    answer = LiveStream(
        source,
        walk,
        Rescue(request, walk, walk.go_on, walk.open),
        is_raw=request.body is not None,
    )
    return RescueScene(answer, walk, clock, ended)


def heard_from(answer):
    """Return the pieces until the end or the error, and the error."""
    pieces = []
    try:
        for piece in answer:
            pieces.append(piece)
    except LLMAPIError as error:
        return pieces, error
    return pieces, None


def text_of(pieces):
    """Return the text that a caller of chunks, or of lines, sees."""
    chunks = "".join(each.text for each in pieces if isinstance(each, Chunk))
    lines = b"".join(each for each in pieces if isinstance(each, bytes)).decode()
    words = (line.partition(":") for line in lines.split("\n"))
    return "".join(value for word, _, value in words if word == "text") + chunks


def seams_of(pieces):
    """Return the seams among the pieces."""
    return [each for each in pieces if isinstance(each, Seam)]
