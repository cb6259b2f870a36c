"""The plan of a digest: how many calls, how large, about what they cost. Pure.

A document that fits one of the deployments its request may go to is asked about in
one call, which keeps what refers to something far away. Any other is cut into pieces
that fit every deployment of the route that can take one at all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from flaskllm.core.money import dollars
from flaskllm.llm import prices
from flaskllm.llm.known_models import family_of
from flaskllm.llm.outlook import Prospect
from flaskllm.llm.tokens import estimate, estimate_request
from flaskllm.llm.types import CompletionRequest
from flaskllm.services.digests.pieces import Piece

# No more of a window than this share is kept for the answer about a piece.
_ANSWER_SHARE: Final = 3
# Texts that are joined may take a little more than the sum of what they take alone.
_MARGIN: Final = 0.97
_FEWEST_TOKENS: Final = 100
"""With less room for a piece nothing would be left of a turn."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A question as far as its size goes.

    Attributes:
        request: Makes the request about a text, with so many tokens for the answer;
            None is as many as its template keeps free.
        source: All of the text.
        answer_growth: How many tokens of the answer one of the text brings; 0 where
            it does not grow with it.
    """

    request: Callable[[str, int | None], CompletionRequest]
    source: str
    answer_growth: float = 0.0


@dataclass(frozen=True, slots=True)
class Space:
    """How much of a text one request may hold.

    Attributes:
        prospect: The deployment that has the least room for it.
        tokens: How many tokens of the text, as that deployment counts.
        tokens_for_answer: How many are kept for the answer.
    """

    prospect: Prospect
    tokens: int
    tokens_for_answer: int

    def count(self, text: str) -> int:
        """Return about how many tokens a text takes there."""
        return estimate(text, family_of(self.prospect.deployment.model))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a digest takes, known before money is spent.

    Attributes:
        calls: To models, repairs left aside.
        tokens_input: Of all calls, estimated rather too high.
        tokens_output_most: What all answers may take together.
        cost_nanos_estimated: In nano-dollars, by the price of the deployment that
            stands first; None where that is not known. What needs no model is free.
        pieces: What the calls about the source are about; one is all of it.
        tokens_for_answer: Of each call about a piece; None is as usual.
        at_once: How many calls the deployments of the route take at a time; None is
            without limit.
    """

    calls: int
    tokens_input: int
    tokens_output_most: int
    cost_nanos_estimated: int | None
    pieces: tuple[Piece, ...]
    tokens_for_answer: int | None = None
    at_once: int | None = None

    @property
    def is_split(self) -> bool:
        """Tell whether the document is asked about in pieces."""
        return len(self.pieces) > 1

    def to_json(self) -> dict[str, Any]:
        """Return what a caller is told; the cost is in US dollars."""
        return {
            "calls": self.calls,
            "pieces": len(self.pieces),
            "tokens_input": self.tokens_input,
            "tokens_output_most": self.tokens_output_most,
            "cost_estimated": dollars(self.cost_nanos_estimated),
        }


@dataclass(frozen=True, slots=True)
class Bill:
    """What some calls take."""

    tokens_input: int
    tokens_output_most: int
    nanos: int | None


def find_space(asking: Asking, prospects: Sequence[Prospect]) -> Space | None:
    """Return how much of the text one request may hold; None is all of it.

    None too where nobody has room for any of it: the router says why.
    """
    upstream = [each for each in prospects if not each.is_local]
    if not upstream or prospects[0].is_local:
        return None
    own = [each for each in upstream if each.alias == upstream[0].alias]
    others = [each for each in upstream if each not in own and each.room is not None]
    if any(_takes_all(asking, each) for each in (*own, *others)):
        return None
    spaces = _spaces(asking, own) or _spaces(asking, others)
    return min(spaces, key=partial(_share, asking), default=None)


def at_once_of(prospects: Sequence[Prospect]) -> int | None:
    """Return how many requests the first route takes at a time; None: no limit."""
    limits = [
        each.deployment.limits.concurrent_requests
        for each in prospects
        if each.alias == prospects[0].alias
    ]
    known = [limit for limit in limits if limit is not None]
    return sum(known) if len(known) == len(limits) else None


def bill_of(request: CompletionRequest, prospect: Prospect | None) -> Bill:
    """Return what one call takes at a deployment; without one it is free."""
    if prospect is None or prospect.is_local:
        return Bill(0, 0, 0)
    deployment = prospect.deployment
    tokens = estimate_request(request, family_of(deployment.model))
    caps = (request.max_output_tokens, deployment.max_output_tokens)
    most = min((cap for cap in caps if cap is not None), default=0)
    price = prices.price_of(deployment)
    if price is None:
        return Bill(tokens, most, None)
    expected = prices.expected_output_tokens(request, deployment)
    return Bill(tokens, most, prices.expected_cost_nanos(price, tokens, expected))


def sum_of(bills: Sequence[Bill]) -> Bill:
    """Return what several calls take together; a cost not known makes it so."""
    nanos = [each.nanos for each in bills if each.nanos is not None]
    return Bill(
        sum(each.tokens_input for each in bills),
        sum(each.tokens_output_most for each in bills),
        sum(nanos) if len(nanos) == len(bills) else None,
    )


def _takes_all(asking: Asking, prospect: Prospect) -> bool:
    most = prospect.deployment.max_output_tokens
    if not prospect.fits:
        return False
    if not asking.answer_growth or most is None:
        return True
    family = family_of(prospect.deployment.model)
    return estimate(asking.source, family) * asking.answer_growth <= most


def _spaces(asking: Asking, prospects: Sequence[Prospect]) -> list[Space]:
    spaces = (_space(asking, each) for each in prospects)
    return [each for each in spaces if each.tokens >= _FEWEST_TOKENS]


def _space(asking: Asking, prospect: Prospect) -> Space:
    """Return the room for text at a deployment.

    What is left of its window, and of its tokens per minute, without the prompt and
    without what is kept for the answer. Where the answer grows with the text, both
    share what is left, and the answer is no longer than the longest.
    """
    deployment, growth = prospect.deployment, asking.answer_growth
    bare = asking.request("", None)
    kept, window = bare.max_output_tokens or 0, deployment.context_window
    if window is not None:
        kept = min(kept, window // _ANSWER_SHARE)
    if deployment.max_output_tokens is not None:
        kept = min(kept, deployment.max_output_tokens)
    prompt = estimate_request(bare, family_of(deployment.model))
    rooms: list[float] = []
    if window is not None:
        rooms += [window - prompt - kept, (window - prompt) / (1 + growth)]
    if deployment.limits.tokens_per_minute is not None:
        rooms.append((deployment.limits.tokens_per_minute - prompt) / (1 + growth))
    if growth and deployment.max_output_tokens is not None:
        rooms.append(deployment.max_output_tokens / growth)
    tokens = int(min(rooms, default=0) * _MARGIN)
    return Space(prospect, tokens, max(kept, int(tokens * growth)))


def _share(asking: Asking, space: Space) -> float:
    """Return how much of the text fits: deployments count in different tokens."""
    return space.tokens / max(1, space.count(asking.source))
