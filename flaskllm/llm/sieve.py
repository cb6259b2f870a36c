"""What keeps deployments from a request before money is spent on it."""

from collections.abc import Mapping, Sequence

from flaskllm.core.errors import LLMAPIError, NoModelConfigured
from flaskllm.core.sensitive import LOCAL
from flaskllm.llm.catalog import OFFLINE, Route
from flaskllm.llm.fitting import Sizes, too_long
from flaskllm.llm.lineup import Candidate, Exclusion, Left
from flaskllm.llm.needs import Dialects, Need, asked, cannot, lacking
from flaskllm.llm.prices import price_of
from flaskllm.llm.types import CompletionRequest, EmbeddingRequest


class Sieve:
    """What is left of the candidates, and why the others are not.

    `objections` are the errors that a caller is told if nobody is left in the end.
    """

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        """Keep all at first."""
        self.left = tuple(candidates)
        self.objections: list[LLMAPIError] = []
        self.excluded: list[Exclusion] = []

    def by_tag(self, request: CompletionRequest | EmbeddingRequest, alias: str) -> None:
        """Keep those that may see the request at all.

        Raises:
            NoModelConfigured: None may; the same request fails again.
        """
        tag = request.required_tag
        if tag is None:
            return
        others = [each.name for each in self.left if not _has_tag(each, tag)]
        self._leave_out("not_local", dict.fromkeys(others, ""))
        if not self.left:
            raise _untagged(tag, alias)

    def by_needs(
        self, request: CompletionRequest, dialects: Dialects, alias: str
    ) -> None:
        """Keep those that can do all that is asked.

        Raises:
            InvalidInputError: The caller asks for what none of them can do.
        """
        needs = asked(request)
        if not needs:
            return
        unmet = {
            each.name: tuple(
                need
                for need in needs
                if not need.is_met(request, each.deployment, dialects)
            )
            for each in self.left
        }
        missing = tuple(
            need for need in needs if any(need in lacks for lacks in unmet.values())
        )
        if all(unmet.values()):
            _refuse(missing, tuple(unmet.values()), request)
        if missing:
            self.objections.append(lacking(missing, alias))
            lacking_by_name = {
                name: ", ".join(need.name for need in lacks)
                for name, lacks in unmet.items()
                if lacks
            }
            self._leave_out("lacking", lacking_by_name)

    def by_price(self, routes: Sequence[Route]) -> None:
        """Keep those whose price is known where the route requires that."""
        strict = {route.name for route in routes if route.require_price}
        if not strict:
            return
        unpriced = [
            each
            for each in self.left
            if each.alias in strict and price_of(each.deployment) is None
        ]
        if unpriced:
            self.objections.append(_unpriced(unpriced))
            self._leave_out("no_price", dict.fromkeys((e.name for e in unpriced), ""))

    def by_size(self, sizes: Sizes) -> None:
        """Keep those that have room for the input, as far as that is known."""
        rooms = ((each, sizes.room(each.deployment)) for each in self.left)
        too_small = [
            (each, room)
            for each, room in rooms
            if room is not None and sizes.of(each.deployment) > room.tokens
        ]
        if too_small:
            told = [(each.deployment, room) for each, room in too_small]
            self.objections.append(too_long(told, sizes))
            sizes_by_name = {
                each.name: f"about {sizes.of(each.deployment)} tokens of input, and "
                f"room for {room.tokens}"
                for each, room in too_small
            }
            self._leave_out("too_long", sizes_by_name)

    def _leave_out(self, reason: Left, details: Mapping[str, str]) -> None:
        """Leave out those with these names; what else is to say stands with them."""
        self.excluded += [
            Exclusion(each.alias, each.name, reason, details[each.name])
            for each in self.left
            if each.name in details
        ]
        self.left = tuple(each for each in self.left if each.name not in details)


def _has_tag(candidate: Candidate, tag: str) -> bool:
    """Tell whether a deployment has the tag; the built-in provider is local."""
    deployment = candidate.deployment
    return tag in deployment.tags or (tag == LOCAL and deployment.kind == OFFLINE.kind)


def _untagged(tag: str, alias: str) -> NoModelConfigured:
    """Return why nobody may see the request."""
    return NoModelConfigured(
        details="The text matches a rule of `privacy`, so that only deployments "
        f"tagged {tag!r} may see it, and {alias!r} leads to none; nothing was sent. "
        f"Set `tags: [{tag}]` on a deployment of yours, and name it in the route or in "
        "one of its fallbacks.",
    )


def _unpriced(candidates: Sequence[Candidate]) -> NoModelConfigured:
    """Return why deployments of a route that requires a price were left out."""
    names = ", ".join(repr(each.name) for each in candidates)
    return NoModelConfigured(
        details=f"The price of {names} is not known, and its route has require_price. "
        "Set the deployment's price.",
    )


def _refuse(
    missing: tuple[Need, ...],
    unmet: Sequence[Sequence[Need]],
    request: CompletionRequest,
) -> None:
    """Refuse what the caller asks for and no deployment can do.

    Named is what all of them lack; where each lacks something else, all of that.
    """
    everywhere = tuple(
        need for need in missing if all(need in lacks for lacks in unmet)
    )
    named = everywhere or missing
    own = [need for need in named if need.field(request)]
    if own:
        raise cannot(own, request)
