"""Whether a candidate may be asked now: the health of those that have an upstream."""

from collections.abc import Callable

from flaskllm.llm.health import Health, Visit
from flaskllm.llm.health.standings import Obstacle, Standing
from flaskllm.llm.lineup import Candidate, Lineup
from flaskllm.llm.prices import expected_output_tokens
from flaskllm.llm.types import Deployment

_WELL = Standing()


class Places:
    """Looks at candidates and takes places at them.

    What needs no upstream is always well and has no visits; without a `health`
    that is true of all.
    """

    def __init__(
        self, health: Health | None, is_local: Callable[[Deployment], bool]
    ) -> None:
        """Take no place yet."""
        self._health = health
        self.is_local = is_local

    def look(self, candidate: Candidate, *, is_repeat: bool = False) -> Standing:
        """Return how a candidate stands now, for a first attempt or a repeat."""
        if self._health is None or self.is_local(candidate.deployment):
            return _WELL
        deployment, alias = candidate.deployment, candidate.alias
        return self._health.look(deployment, alias, is_repeat=is_repeat)

    def enter(
        self,
        candidate: Candidate,
        lineup: Lineup,
        *,
        is_repeat: bool,
        as_last_resort: bool,
    ) -> Visit | Obstacle | None:
        """Return the place that was taken, or why not; None where none is needed."""
        deployment = candidate.deployment
        if self._health is None or self.is_local(deployment):
            return None
        # A route made for one request has nothing to choose from, so nothing to learn.
        return self._health.enter(
            deployment,
            "" if lineup.routes[candidate.alias].made else candidate.alias,
            tokens=_expected_tokens(deployment, lineup),
            streams=lineup.streams,
            is_repeat=is_repeat,
            as_last_resort=as_last_resort,
        )

    def count_refused_repeat(self, candidate: Candidate) -> None:
        """Count a repeat that is not made, nor knocked for at the door."""
        assert self._health is not None  # else nothing is ever in the way
        self._health.count_refused_repeat(candidate.deployment)


def _expected_tokens(deployment: Deployment, lineup: Lineup) -> int:
    """Return how many tokens to reserve: 0 where nobody counts them."""
    most = deployment.limits.tokens_per_minute
    if most is None:
        return 0  # measuring a long prompt takes a while
    answer = expected_output_tokens(lineup.request, deployment)
    # How long an answer will be is a supposition: it keeps nobody out for ever.
    return min(most, lineup.sizes.of(deployment) + answer)
