"""The sixteen faults, and the upstreams that play them.

A scene is a route of its own with one deployment, the primary, and one fallback
alias, the spare. Both give the same answer, as a model does that is asked for
nothing random; only the borders of their chunks differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fakes import Exchange, Step, hang, json_reply, reset, status
from rounds import rounds
from stream_steps import DONE, LAST_CHUNK, Pause, chunk, event, head, sse, tokens

PRIMARY_MODEL, SPARE_MODEL = "first-1", "spare-1"
TEXT = "The launch is on Friday, 9 October at ten; Ada brings the slides, Ben the cake."
# Role, texts, finish, usage, end mark.
EVENTS = tokens(*(f"{word} " for word in TEXT.split()), model=PRIMARY_MODEL)
SPARE = tokens(
    *(f"{TEXT} "[n : n + 9] for n in range(0, len(TEXT) + 1, 9)), model=SPARE_MODEL
)
TWO_THIRDS = len(EVENTS) * 2 // 3  # so many events, the first of which has no text
SHOWN = "".join(f"{word} " for word in TEXT.split()[: TWO_THIRDS - 1])

DOWN_SECONDS = rounds(12, 60)
EVERY_SECONDS = rounds(1, 4)
BACK_WITHIN_SECONDS = 30.0


def error(code: int, kind: str, name: str, message: str) -> Step:
    """Answer with an error as OpenAI's dialect has it."""
    body = {"error": {"message": message, "type": kind, "param": None, "code": name}}
    return json_reply(body, status=code)


def late_token(seconds: float) -> Step:
    """Begin a stream at once, and say the first word so much later."""

    def step(exchange: Exchange) -> None:
        exchange.write(head() + chunk(EVENTS[0]))
        exchange.wait(seconds)
        exchange.write(b"".join(map(chunk, EVENTS[1:])) + LAST_CHUNK)

    return step


def broken_off(events: Sequence[bytes], after: int, end: Pause) -> Step:
    """Stream so many events, one at a time so that they are shown; then `end`."""

    def step(exchange: Exchange) -> None:
        exchange.write(head())
        for each in events[:after]:
            exchange.write(chunk(each))
            exchange.wait(0.02)
        end(exchange)

    return step


def refusing_prefill(events: Sequence[bytes]) -> Step:
    """Stream these events, but refuse to go on with an assistant's turn."""
    refusal = error(
        400,
        "invalid_request_error",
        "prefill_not_supported",
        "This model does not support assistant message prefill.",
    )

    def step(exchange: Exchange) -> None:
        last = exchange.request.json["messages"][-1]
        (refusal if last["role"] == "assistant" else sse(events))(exchange)

    return step


def _malformed(events: Sequence[bytes], at: int) -> list[bytes]:
    """Return the events, with one of them broken off in the middle of its JSON."""
    torn = events[at].removeprefix(b"data: ")[:-30]
    return [*events[:at], event(torn), *events[at + 1 :]]


@dataclass(frozen=True)
class Scene:
    """One fault.

    Attributes:
        primary: What the first deployment does, one step a question.
        spare: The same of the fallback's.
        deployments: Settings of the primary and of the spare, besides.
    """

    primary: Sequence[Step]
    spare: Sequence[Step] = (sse(SPARE),)
    deployments: tuple[dict[str, Any], dict[str, Any]] = field(
        default_factory=lambda: ({}, {})
    )


GOOD = sse(EVENTS)
CUT = broken_off(EVENTS, TWO_THIRDS, lambda exchange: exchange.close())
STALLED = broken_off(EVENTS, TWO_THIRDS, lambda exchange: exchange.wait())
MALFORMED = sse(_malformed(EVENTS, TWO_THIRDS), every_seconds=0.02)
LIMITED = status(429, {"Retry-After": "2"})
UNAVAILABLE = status(503)
TOO_LONG = error(
    400,
    "invalid_request_error",
    "context_length_exceeded",
    "This model's maximum context length is 8192 tokens.",
)
AGAINST_POLICY = error(
    400,
    "invalid_request_error",
    "content_policy_violation",
    "Your request was rejected by our safety system.",
)

OUTAGE = "a-primary-that-is-down"
SCENES: dict[str, Scene] = {
    "limited-once": Scene((LIMITED, GOOD)),
    "limited-for-ever": Scene((LIMITED,)),
    "fails-once": Scene((status(500), GOOD)),
    "unavailable-for-ever": Scene((UNAVAILABLE,)),
    "reset-before-headers": Scene((reset(),)),
    "silent": Scene((hang(),)),
    "late-token": Scene((late_token(20.0),)),
    "cut": Scene((CUT,)),
    "stalled": Scene((STALLED,)),
    "malformed": Scene((MALFORMED,)),
    "no-end-mark": Scene((sse([each for each in EVENTS if each != DONE]),)),
    "too-long": Scene(
        (TOO_LONG,), deployments=({"context_window": 8192}, {"context_window": 65536})
    ),
    "against-policy": Scene((AGAINST_POLICY,)),
    "no-prefill": Scene((CUT,), (refusing_prefill(SPARE),)),
    OUTAGE: Scene((GOOD,)),
    "accounted": Scene((UNAVAILABLE,)),
}
