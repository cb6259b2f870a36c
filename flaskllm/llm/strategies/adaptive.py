"""Learn which deployment gives a good answer for the least time and money."""

from collections.abc import Sequence
from random import Random

from flaskllm.llm.strategies.choices import Choice, Place, Record, Turn

# What is supposed of an answer's time where no choice has any record yet.
_SUPPOSED_SECONDS = 1.0
# The shape of a gamma distribution whose deviation is a third of its mean.
_SHAPE = 9.0
# Keeps a drawn zero from dividing by it; one attempt in a million is no share.
_LEAST = 1e-6


def order(choices: Sequence[Choice], turn: Turn) -> tuple[Place, ...]:
    """Return the lowest drawn price of one good answer first.

    The objective: nano-dollars for one good answer, waiting included. An attempt
    that succeeds with probability p has to be made 1 / p times, so::

        score = (seconds * second_nanos + cost_nanos) / p

    The order is a draw from what is known of each (Thompson sampling): what has a
    short record is drawn widely, so it is tried, and soon not any more if it is no
    better. Records fade, so a change is found out. With s successes, f failures and
    the mean time m of the record::

        p       ~ Beta(1 + s, 1 + f)
        seconds ~ 9 * (m0 + s * m) / Gamma(9 * (1 + s), 1)

    which are the posteriors of a success and of the mean of a time that strays by a
    third of it, the prior worth one answer. Its time m0 is the shortest mean among
    the choices, so that the unknown is thought well of. A price that is not known
    counts as the dearest of the choices. Weights are ignored.

    Sources: W. R. Thompson, "On the likelihood that one unknown probability exceeds
    another", Biometrika 25 (1933); O. Chapelle and L. Li, "An empirical evaluation
    of Thompson sampling" (2011); D. Russo and others, "A tutorial on Thompson
    sampling" (2018), of which section 6.3 has records that fade.

    The score is that draw in nano-dollars.
    """
    supposed = _shortest(choices)
    dearest = max((each.cost_nanos or 0 for each in choices), default=0)
    places = []
    for each in choices:
        cost = dearest if each.cost_nanos is None else each.cost_nanos
        seconds = _draw_seconds(each.record, supposed, turn.random)
        # A nano-dollar at least, so that success decides where all is free.
        price = max(seconds * turn.second_nanos + cost, 1.0)
        places.append(Place(each.name, price / _draw_success(each.record, turn.random)))
    return tuple(sorted(places, key=_score))


def _draw_success(record: Record, random: Random) -> float:
    drawn = random.betavariate(1.0 + record.successes, 1.0 + record.failures)
    return max(drawn, _LEAST)


def _draw_seconds(record: Record, supposed: float, random: Random) -> float:
    seen = 0.0 if record.seconds is None else record.successes
    total = _SHAPE * (supposed + seen * (record.seconds or 0.0))
    return total / max(random.gammavariate(_SHAPE * (1.0 + seen), 1.0), _LEAST)


def _shortest(choices: Sequence[Choice]) -> float:
    return min(
        (each.record.seconds for each in choices if each.record.seconds is not None),
        default=_SUPPOSED_SECONDS,
    )


def _score(place: Place) -> float:
    return place.score
