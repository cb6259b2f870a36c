"""Where a request would go, and how much of it fits there: known before it is sent."""

from dataclasses import dataclass

from flaskllm.llm.fitting import Room
from flaskllm.llm.lineup import Lineup
from flaskllm.llm.places import Places
from flaskllm.llm.types import Deployment


@dataclass(frozen=True, slots=True)
class Prospect:
    """A deployment that a request may go to.

    Attributes:
        alias: The route that leads there; that of the request's own name stands
            first.
        deployment: With all that is known of it.
        tokens: About how many tokens of input the request is; 0 where nobody bounds
            them, for then they were not counted.
        room: How many of them it takes; None where nothing bounds them.
        is_local: Whether it answers without an upstream, whatever the size.
    """

    alias: str
    deployment: Deployment
    tokens: int = 0
    room: Room | None = None
    is_local: bool = False

    @property
    def fits(self) -> bool:
        """Tell whether the request fits, as far as that is known."""
        return self.room is None or self.tokens <= self.room.tokens


def prospects_of(lineup: Lineup, places: Places) -> tuple[Prospect, ...]:
    """Return whom the request may go to, in the order of the settings."""
    return tuple(
        Prospect(each.alias, each.deployment, is_local=True)
        if places.is_local(each.deployment)
        else _measured(each.alias, each.deployment, lineup)
        for each in lineup.candidates
    )


def _measured(alias: str, deployment: Deployment, lineup: Lineup) -> Prospect:
    room = lineup.sizes.room(deployment)
    tokens = 0 if room is None else lineup.sizes.of(deployment)
    return Prospect(alias, deployment, tokens, room)
