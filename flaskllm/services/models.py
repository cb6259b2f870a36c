"""The models that a caller may name."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from flaskllm.core.auth import Principal
from flaskllm.core.errors import APIError
from flaskllm.llm.allowed import Allowed
from flaskllm.llm.catalog import Catalog
from flaskllm.llm.counting import Counting, TokenCount
from flaskllm.llm.known_models import family_of
from flaskllm.llm.tokens import estimate_request
from flaskllm.llm.types import Call, CompletionRequest

# Who owns a name that the settings made up.
OURS = "flaskllm"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A name that a caller may send.

    `created` counts seconds since 1970; `owned_by` is a provider's name, or
    `flaskllm` for an alias.
    """

    id: str
    created: int
    owned_by: str


@dataclass(frozen=True, slots=True)
class Models:
    """Tells which models there are.

    `catalog` and `counting` give those of the settings as they stand now; `created`
    is when this process began, for no upstream's list says it of our names.
    """

    catalog: Callable[[], Catalog]
    counting: Callable[[], Counting]
    created: int

    def list(self, principal: Principal) -> tuple[ModelEntry, ...]:
        """Return the aliases, then what the upstreams list, each once.

        For a principal that may name models directly the configured deployments
        follow as `provider/model`. One with allowed aliases sees only those; what
        patterns make of them comes last.
        """
        catalog, allowed = self.catalog(), Allowed(principal.aliases)
        found = [
            *(ModelEntry(name, self.created, OURS) for name in catalog.aliases()),
            *self._discovered(catalog),
            *(self._direct(catalog) if principal.direct_models else ()),
            *self._spelled_out(allowed, principal),
        ]
        first = {entry.id: entry for entry in reversed(found)}
        names = allowed.among(entry.id for entry in found)
        return tuple(first[name] for name in dict.fromkeys(names))

    def find(self, model: str, principal: Principal) -> ModelEntry:
        """Return what this name stands for; it may match a pattern.

        Raises:
            ModelNotFound: Nothing has this name, or this principal may not send it;
                the details name the nearest.
        """
        allowed = Allowed(principal.aliases)
        route = self.catalog().resolve(
            model, direct=principal.direct_models, allowed=allowed
        )
        owner = route.made.provider if route.made else OURS
        return ModelEntry(model, self.created, owner)

    def count_tokens(self, request: CompletionRequest, call: Call) -> TokenCount:
        """Return how many tokens the input takes; what is estimated is too many.

        Raises:
            ModelNotFound: The request names a model that is not there.
            InvalidInputError: It names none where one is needed.
            NoModelConfigured: It names none, and there is none.
            CallerGone: Nobody waits for the answer any more.
        """
        return self.counting().count(request, call)

    def estimate_tokens(self, request: CompletionRequest, model: str) -> int:
        """Return about how many tokens the input takes for an upstream's model."""
        return estimate_request(request, family_of(model))

    def _discovered(self, catalog: Catalog) -> Iterator[ModelEntry]:
        for name in catalog.discovered.names():
            listed = catalog.discovered.find(name)
            if listed is not None:  # else gone since
                yield ModelEntry(name, self.created, listed.provider)

    def _spelled_out(
        self, allowed: Allowed, principal: Principal
    ) -> Iterator[ModelEntry]:
        """Yield what a principal's list names and the settings do not: by patterns."""
        for name in allowed.spelled_out():
            with suppress(APIError):  # nothing has this name
                yield self.find(name, principal)

    def _direct(self, catalog: Catalog) -> Iterator[ModelEntry]:
        for each in catalog.deployments.values():
            if each.model != "*" and each.provider in catalog.samples:
                name = f"{each.provider}/{each.model}"
                yield ModelEntry(name, self.created, each.provider)
