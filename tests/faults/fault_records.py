"""What a scene leaves behind: how it was from both ends, as plain JSON.

One process plays all scenes; any may judge them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cut_answers
from cut_answers import OPENAI


@dataclass(frozen=True)
class Called:
    """What a caller got.

    Attributes:
        asked_at: The moment, by the monotonic clock of the machine.
        headers: Their names in lower case.
    """

    asked_at: float
    seconds: float
    status: int
    headers: Mapping[str, str]
    body: str

    @cached_property
    def heard(self) -> cut_answers.Heard:
        """Return what its stream told, event by event."""
        return OPENAI.read(self.body.encode())

    @property
    def is_whole(self) -> bool:
        """Tell whether the stream ended well, and only once."""
        ends = (cut_answers.FINISH, cut_answers.DONE, cut_answers.ERROR)
        counts = [self.heard.count(end) for end in ends]
        return counts == [1, 1, 0] and self.heard.last == cut_answers.DONE

    @property
    def chunks(self) -> list[dict[str, Any]]:
        """Return the JSON of every event of the stream."""
        lines = [line for line in self.body.split("\n") if line.startswith("data: {")]
        return [json.loads(line.removeprefix("data: ")) for line in lines]

    @property
    def model(self) -> str:
        """Return the one model that the answer says it is from, as it ends."""
        return self.chunks[-1]["model"]

    @property
    def usage(self) -> dict[str, Any]:
        """Return the tokens that the caller was told."""
        (told,) = [each["usage"] for each in self.chunks if each.get("usage")]
        return told


@dataclass(frozen=True)
class Asked:
    """What an upstream saw of one question; the moments as in `Called`."""

    asked_at: float
    seconds: float
    was_told: bool
    last_role: str


@dataclass(frozen=True)
class Record:
    """One scene as it was.

    Attributes:
        calls: What callers got, in order.
        primary: What the first deployment saw.
        spare: What the fallback saw.
        rows: The usage rows of all calls, by their age.
        metrics: What was counted for both deployments at the end: name with its
            labels as Prometheus shows them, and the value.
        healthy_at: When a primary that was down came up.
    """

    calls: tuple[Called, ...]
    primary: tuple[Asked, ...]
    spare: tuple[Asked, ...]
    rows: tuple[Mapping[str, Any], ...]
    metrics: Mapping[str, float]
    healthy_at: float = 0.0

    @property
    def call(self) -> Called:
        """Return the only call."""
        (call,) = self.calls
        return call

    def story(self) -> str:
        """Return what happened, for whoever looks for the reason."""
        lines = [
            f"caller: {call.status} after {call.seconds:.1f} s, {call.headers}\n"
            f"{call.body}"
            for call in self.calls
        ]
        begun_at = self.calls[0].asked_at
        for who, visits in (("primary", self.primary), ("spare", self.spare)):
            lines += [
                f"{who}: asked at {each.asked_at - begun_at:.1f} s for "
                f"{each.seconds:.1f} s, last turn of {each.last_role}"
                for each in visits
            ]
        told = ("deployment", "outcome", "latency_ms", "usage_source", "decision")
        for row in self.rows:
            lines.append("row: " + ", ".join(str(row.get(name)) for name in told))
        return "\n".join(lines)

    @classmethod
    def load(cls, path: Path) -> "Record":
        """Read what was saved."""
        told: dict[str, Any] = json.loads(path.read_text())
        for name, kind in (("calls", Called), ("primary", Asked), ("spare", Asked)):
            told[name] = tuple(kind(**each) for each in told[name])
        return cls(**told | {"rows": tuple(told["rows"])})


def save(path: Path, told: Any) -> None:
    """Write something where other processes look, all at once."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(json.dumps(told))
    unfinished.rename(path)
