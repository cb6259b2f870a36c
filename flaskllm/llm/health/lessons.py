"""What each route has learned of the deployments that it asked."""

from dataclasses import dataclass, field
from threading import Lock

from flaskllm.llm.strategies.choices import NOTHING_LEARNED, Record

# What an older observation counts, for each newer one of its route.
_DISCOUNT = 0.97
# A weight at which nothing can be said any more.
_FORGOTTEN = 1e-9


@dataclass(slots=True)
class _Lesson:
    """What was learned of one deployment, as of the route's `number`-th lesson."""

    number: int = 0
    successes: float = 0.0
    failures: float = 0.0
    timed: float = 0.0
    seconds: float = 0.0


@dataclass(slots=True)
class _Route:
    """The lessons of one route, by the deployment's name; `number` counts them."""

    number: int = 0
    lock: Lock = field(default_factory=Lock)
    lessons: dict[str, _Lesson] = field(default_factory=dict)


class Lessons:
    """A record for each route and deployment; any number of threads may share it.

    Every observation of a route lets all of its records fade to ``0.97`` of what
    they were, also those of deployments that were not asked: they become uncertain
    again and get another chance (discounted Thompson sampling: V. Raj and S.
    Kalyani, "Taming Non-stationary Bandits: A Bayesian Approach", 2017). It is done
    when a record is read: ``0.97 ** (lessons of the route since it was written)``.
    """

    def __init__(self) -> None:
        """Start without any."""
        self._routes: dict[str, _Route] = {}

    def record(self, alias: str, deployment: str) -> Record:
        """Return what the route has learned of the deployment."""
        route = self._routes.get(alias)
        if route is None:
            return NOTHING_LEARNED
        with route.lock:
            lesson = route.lessons.get(deployment)
            if lesson is None:
                return NOTHING_LEARNED
            fade = _DISCOUNT ** (route.number - lesson.number)
            return Record(
                lesson.successes * fade,
                lesson.failures * fade,
                lesson.seconds / lesson.timed if lesson.timed > _FORGOTTEN else None,
            )

    def learn(
        self, alias: str, deployment: str, is_success: bool, seconds: float | None
    ) -> None:
        """Take in how one attempt of the route ended.

        Args:
            alias: The route's name: one of the settings, for it is kept for ever.
            deployment: The deployment's.
            is_success: Whether it gave the whole answer.
            seconds: To the first byte of a stream or to a whole answer; None where
                neither was reached.
        """
        # Of two threads at once the first one's is kept.
        route = self._routes.get(alias) or self._routes.setdefault(alias, _Route())
        with route.lock:
            route.number += 1
            lesson = route.lessons.get(deployment)
            if lesson is None:
                lesson = route.lessons[deployment] = _Lesson(route.number)
            fade = _DISCOUNT ** (route.number - lesson.number)
            lesson.number = route.number
            lesson.successes = lesson.successes * fade + is_success
            lesson.failures = lesson.failures * fade + (not is_success)
            lesson.timed = lesson.timed * fade + (seconds is not None)
            lesson.seconds = lesson.seconds * fade + (seconds or 0.0)

    def forget(self, deployments: frozenset[str]) -> None:
        """Drop what was learned of these deployments."""
        for route in list(self._routes.values()):
            with route.lock:
                for name in deployments & route.lessons.keys():
                    del route.lessons[name]
