"""Routes without upstreams: what a strategy would have asked, and what came of it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from flaskllm.llm.health.lessons import Lessons
from flaskllm.llm.strategies import STRATEGIES
from flaskllm.llm.strategies.choices import Choice, Turn

ALIAS = "fast"


def first_names(
    strategy: str,
    choices: Callable[[int], Sequence[Choice]] | Sequence[Choice],
    calls: int,
    seed: int = 1,
) -> list[str]:
    """Return whom each of so many requests would ask first.

    `choices` may depend on the number of the call, from 0. The route's own numbers
    start somewhere, as they do in a process.
    """
    random = Random(seed)
    start = random.randrange(2**32)
    asked = []
    for call in range(calls):
        now = choices(call) if callable(choices) else choices
        turn = Turn(start + call, random)
        asked.append(STRATEGIES[strategy](now, turn)[0].name)
    return asked


def share_of(names: Sequence[str], *wanted: str) -> float:
    """Return which part of the names are among the wanted."""
    counted = Counter(names)
    return sum(counted[name] for name in wanted) / len(names)


@dataclass(frozen=True)
class Upstream:
    """One that answers with a probability, in about so many seconds, at a cost."""

    succeeds: float = 0.99
    seconds: float = 1.0
    cost_nanos: int | None = 0


@dataclass
class LearningRoute:
    """A route that is asked with `adaptive`, and learns from each first attempt."""

    random: Random
    lessons: Lessons = field(default_factory=Lessons)
    number: int = 0

    def ask(self, upstreams: Mapping[str, Upstream], calls: int) -> list[str]:
        """Return whom so many requests asked first."""
        return [self._ask_once(upstreams) for _ in range(calls)]

    def _ask_once(self, upstreams: Mapping[str, Upstream]) -> str:
        self.number += 1
        choices = [
            Choice(
                name,
                weight=1,
                cost_nanos=upstream.cost_nanos,
                record=self.lessons.record(ALIAS, name),
            )
            for name, upstream in upstreams.items()
        ]
        turn = Turn(self.number, self.random)
        asked = STRATEGIES["adaptive"](choices, turn)[0].name
        self._learn(asked, upstreams[asked])
        return asked

    def _learn(self, name: str, upstream: Upstream) -> None:
        is_success = self.random.random() < upstream.succeeds
        seconds = upstream.seconds * self.random.lognormvariate(0.0, 0.3)
        self.lessons.learn(ALIAS, name, is_success, seconds if is_success else None)
