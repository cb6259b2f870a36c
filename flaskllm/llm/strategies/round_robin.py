"""Let the deployments take turns."""

from collections.abc import Sequence

from flaskllm.llm.strategies.choices import Choice, Place, Turn


def order(choices: Sequence[Choice], turn: Turn) -> tuple[Place, ...]:
    """Return choice ``(number + i) mod n`` at place i; weights are ignored.

    The score of place i is i: so many requests later it is its turn.
    """
    start = turn.number % max(len(choices), 1)
    turned = (*choices[start:], *choices[:start])
    return tuple(Place(each.name, float(wait)) for wait, each in enumerate(turned))
