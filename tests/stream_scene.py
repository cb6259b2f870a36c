"""A router before streams that a test scripts, in a dialect of one word a line.

`text:Hi`, `think:Hm`, `tool:look`, `finish:stop`, `usage:12,5`, `model:m-1`, `done`,
`error`, `overlong`; a line that starts with `:` is a comment.
"""

from dataclasses import dataclass, field, replace
from random import Random

from fakes import FakeClock

from flaskllm.core.clock import Deadline
from flaskllm.core.errors import (
    LLMAPIError,
    LLMContextTooLong,
    LLMProtocolError,
    LLMTimeout,
    LLMUnavailable,
)
from flaskllm.llm.catalog import Catalog, Route
from flaskllm.llm.health import Health
from flaskllm.llm.parts import Message
from flaskllm.llm.patience import Policy
from flaskllm.llm.router import Router
from flaskllm.llm.streams import Chunk, Opening, ToolFragment
from flaskllm.llm.types import (
    Call,
    CallerBody,
    Completion,
    CompletionRequest,
    Deployment,
    Embeddings,
    Usage,
)
from flaskllm.net.transport import HttpRequest

REQUEST = CompletionRequest(None, (Message("user", "When is the launch?"),))
RAW = replace(REQUEST, body=CallerBody("openai.chat", {}))


@dataclass(frozen=True)
class Silence:
    """A step: nothing comes for so many seconds."""

    seconds: float


@dataclass
class FakeStream:
    """A reply with this status whose body comes step by step, then ends."""

    clock: FakeClock
    steps: list
    status: int = 200
    headers: dict = field(default_factory=dict)
    closed: int = 0
    read_with: list = field(default_factory=list)
    silent_seconds: float = 0.0

    def read(self, *, gap_seconds, tick_seconds=None):
        self.read_with.append((gap_seconds, tick_seconds))
        step = self.steps.pop(0) if self.steps else b""
        if isinstance(step, BaseException):
            raise step
        if isinstance(step, Silence):
            return self._be_silent(step.seconds, gap_seconds, tick_seconds)
        self.silent_seconds = 0.0
        return step

    def close(self):
        self.closed += 1

    def _be_silent(self, seconds, gap_seconds, tick_seconds):
        patience = gap_seconds - self.silent_seconds
        shorter = min(patience, patience if tick_seconds is None else tick_seconds)
        if seconds < shorter:
            self.clock.advance(seconds)
            self.silent_seconds += seconds
            return self.read(gap_seconds=gap_seconds, tick_seconds=tick_seconds)
        self.clock.advance(shorter)
        self.silent_seconds += shorter
        self.steps.insert(0, Silence(seconds - shorter))
        if self.silent_seconds >= gap_seconds:
            raise LLMTimeout(details="silence")
        return None


class LineReader:
    """Reads the dialect; `raw` passes its lines on instead of chunks."""

    def __init__(self, raw=False, may_go_on=False):
        self.raw = raw
        self.may_go_on = may_go_on
        self.has_token = self.is_finished = self.is_complete = False
        self.usage = Usage()
        self.output = self.text = ""
        self.is_joinable = True
        self.broken = None
        self.finish_reason = None
        self.model = ""
        self.malformed = 0
        self._rest = b""

    @property
    def opening(self):
        return Opening(id="line-1", model=self.model) if self.raw else None

    def feed(self, data):
        *lines, self._rest = (self._rest + data).split(b"\n")
        pieces = []
        for line in lines:
            try:
                chunk = self._read(line.decode())
            except LLMAPIError as error:
                if not pieces:
                    raise
                self.broken = error
                break
            pieces += [line + b"\n"] if self.raw else [chunk] if chunk else []
        return pieces

    def end(self):
        if not self.is_finished:
            raise LLMProtocolError(details="closed before the finish")
        return []

    def _read(self, line):
        word, _, value = line.partition(":")
        return getattr(self, f"_{word or 'comment'}")(value)

    def _comment(self, value):
        return None

    def _text(self, value):
        self.has_token = True
        self.output += value
        self.text += value
        return Chunk(text=value)

    def _think(self, value):
        self.has_token = True
        self.output += value
        return Chunk(thinking=value)

    def _tool(self, value):
        self.has_token = True
        self.is_joinable = False
        return Chunk(tool=ToolFragment(0, "call-1", value))

    def _finish(self, value):
        self.has_token = self.is_finished = True
        self.finish_reason = value
        return Chunk(finish_reason=value)

    def _usage(self, value):
        prompt, _, completion = value.partition(",")
        self.usage = Usage(
            input_uncached=int(prompt), output_text=int(completion), source="provider"
        )
        return Chunk(usage=self.usage)

    def _model(self, value):
        self.model = value

    def _done(self, value):
        self.is_complete = True

    def _error(self, value):
        raise LLMUnavailable(details="an error event")

    def _overlong(self, value):
        raise LLMContextTooLong(details="an error event")


@dataclass
class LineProvider:
    """Speaks the dialect, and OpenAI's chat to callers who speak that."""

    wires: frozenset = frozenset({"openai.chat"})
    fetches_images: bool = True
    may_go_on: bool = False

    def encode(self, request, deployment):
        body = f"{deployment.model} {request.stream}".encode()
        return HttpRequest("POST", "http://upstream/chat", {}, body)

    def dropped(self, request, deployment):
        return ("seed",) if request.body is None else ()

    def decode(self, reply, request):
        text = reply.body.decode()
        return Completion(text, "stop", Usage(), "", raw=request.body and reply.body)

    def read_stream(self, request):
        return LineReader(request.body is not None, self.may_go_on)

    def explain(self, reply):
        return LLMUnavailable(details=f"status {reply.status}: {reply.body.decode()}")


class LineEmbedder(LineProvider):
    """Has vectors too: the length of each input."""

    takes_token_numbers = True

    def encode_embedding(self, request, deployment):
        body = repr(request.inputs).encode()
        return HttpRequest("POST", "http://upstream/embed", {}, body)

    def decode_embedding(self, reply):
        vectors = tuple((float(n),) for n in reply.body.split())
        return Embeddings(vectors, Usage(), "")


@dataclass
class StreamSender:
    """Gives each scripted stream, reply or error once."""

    clock: FakeClock
    script: list
    opened: list = field(default_factory=list)

    def open(self, request, *, deadline, caller=None, **limits):
        self.opened.append((request, deadline, caller, limits))
        step = self.script.pop(0)
        if isinstance(step, BaseException):
            raise step
        return step

    send = open


@dataclass
class StreamScene:
    """A router before scripted streams, and what its caller sees."""

    router: Router
    senders: dict
    clock: FakeClock
    call: Call
    begun: list
    ended: list

    def stream(self, request=REQUEST):
        return self.router.stream(request, self.call)

    @property
    def outcome(self):
        """Return how the only attempt that ended did so."""
        ((_, outcome),) = self.ended
        return outcome

    @property
    def codes(self):
        return [outcome.code for _, outcome in self.ended]


def stream_scene(*, provider=None, deployments=(), routes=(), policy=None, **steps):
    """Route `main` to deployment a, its fallbacks to the others in order.

    Each name takes a list of streams; a stream is a list of steps, a number (an
    error's status), a reply or an error.
    """
    clock = FakeClock()
    begun, ended = [], []
    given = {each.name: each for each in deployments}
    built = {n: given.get(n, Deployment(n, n, "vllm", "m")) for n in steps}
    others = tuple(name for name in steps if name != "a")
    chain = routes or (
        Route(alias="main", weights={"a": 1}, fallbacks=others),
        *(Route(alias=name, weights={name: 1}) for name in others),
    )
    senders = {
        name: StreamSender(clock, [_stream(clock, each) for each in streams])
        for name, streams in steps.items()
    }
    call = Call(
        Deadline.after(300.0, clock),
        clock.sleep,
        begun.append,
        lambda attempt, outcome: ended.append((attempt, outcome)),
    )
    router = Router(
        Catalog(tuple(chain), built),
        dict.fromkeys(steps, provider or LineProvider()),
        senders,
        policy or Policy(),
        Random(1),
        health=Health(clock, Random(1)),
    )
    return StreamScene(router, senders, clock, call, begun, ended)


def _stream(clock, said):
    if isinstance(said, list):
        return FakeStream(clock, list(said))
    if isinstance(said, int):
        return FakeStream(clock, [b"broken"], status=said)
    return said
