"""The models that upstreams list by themselves, asked for when somebody needs them."""

import logging
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace

from flaskllm.core import logs
from flaskllm.core.clock import Clock, Deadline
from flaskllm.core.errors import APIError, LLMUnavailable
from flaskllm.llm.fetched import REFRESH_SECONDS, Fetched
from flaskllm.llm.model_names import is_plain
from flaskllm.llm.providers import ListedModel, Lister
from flaskllm.llm.senders import Sender
from flaskllm.llm.types import Deployment
from flaskllm.llm.undescribed import make_deployment

_log = logging.getLogger(__name__)

_LISTING_SECONDS = 5.0
# OpenRouter and Hugging Face list some hundreds; more than this is a mistake.
_MOST_MODELS = 10_000


@dataclass(frozen=True, slots=True)
class Shelf:
    """One upstream's list: who can ask for it, and what is made of its models.

    `sample` is a deployment of the provider, but for name and model.
    """

    sample: Deployment
    lister: Lister
    sender: Sender


class Discovery:
    """The lists of all upstreams that are asked for one, in the settings' order."""

    def __init__(
        self,
        shelves: Sequence[Shelf],
        clock: Clock,
        refresh_seconds: float = REFRESH_SECONDS,
    ) -> None:
        """Keep the settings; no upstream is asked yet.

        Args:
            shelves: One for each provider.
            clock: Tells how old a list is.
            refresh_seconds: How old a list may be.
        """
        self._lists: dict[str, _List] = {
            shelf.sample.provider: _List(shelf, clock, refresh_seconds)
            for shelf in shelves
        }
        self._asks = True

    def models(self, provider: str) -> tuple[ListedModel, ...]:
        """Return what a provider's upstream lists; nothing of an unknown provider.

        While an upstream does not answer, what it listed last stands.
        """
        listed = self._lists.get(provider)
        return tuple(self._held(listed).values()) if listed else ()

    def find(self, model: str, provider: str | None = None) -> Deployment | None:
        """Return the deployment of a listed model.

        Args:
            model: As the upstream names it.
            provider: Whose list; None takes the first that holds it.
        """
        lists = self._lists.values() if provider is None else self._of(provider)
        for each in lists:
            listed = self._held(each).get(model)
            if listed is not None:
                return _deployment(each.shelf.sample, listed)
        return None

    def names(self) -> tuple[str, ...]:
        """Return the listed models' names, each once."""
        listed = (name for each in self._lists.values() for name in self._held(each))
        return tuple(dict.fromkeys(listed))

    def providers(self) -> tuple[str, ...]:
        """Return the names of the providers that are asked."""
        return tuple(self._lists)

    def without_asking(self) -> "Discovery":
        """Return the same lists as they were told last; none is asked for."""
        known = copy(self)
        known._asks = False
        return known

    def _held(self, listed: "_List") -> Mapping[str, ListedModel]:
        return listed.now() if self._asks else listed.last()

    def _of(self, provider: str) -> "tuple[_List, ...]":
        listed = self._lists.get(provider)
        return (listed,) if listed else ()


class _List:
    """The list of one upstream as it stands now."""

    def __init__(self, shelf: Shelf, clock: Clock, refresh_seconds: float) -> None:
        self.shelf = shelf
        self._clock = clock
        self._models = Fetched(self._fetch, self._tell, refresh_seconds)

    def now(self) -> Mapping[str, ListedModel]:
        """Return the models by their ids; none while there never was a list."""
        deadline = Deadline.after(_LISTING_SECONDS, self._clock)
        return self._models.now(deadline) or {}

    def last(self) -> Mapping[str, ListedModel]:
        """Return the models as they were listed last, without a look now."""
        return self._models.last() or {}

    def _fetch(self, deadline: Deadline) -> Mapping[str, ListedModel]:
        listed = fetch_models(self.shelf.lister, self.shelf.sender, deadline)
        # An upstream's name is no more to be trusted than a caller's.
        return {each.id: each for each in listed if is_plain(each.id)}

    def _tell(self, error: APIError) -> None:
        logs.event(
            _log,
            logging.WARNING,
            "models_not_listed",
            provider=self.shelf.sample.provider,
            code=error.code,
        )


def fetch_models(
    lister: Lister, sender: Sender, deadline: Deadline
) -> tuple[ListedModel, ...]:
    """Return what an upstream lists.

    Raises:
        APIError: It could not be asked, or gave no list.
    """
    reply = sender.send(lister.encode_listing(), deadline=deadline)
    if reply.status != 200:
        raise LLMUnavailable(details=f"Its models: status {reply.status}.")
    return lister.decode_listing(reply)[:_MOST_MODELS]


def _deployment(sample: Deployment, listed: ListedModel) -> Deployment:
    """Return a listed model's deployment: what the upstream says goes first."""
    described = replace(
        sample,
        context_window=listed.context_window or sample.context_window,
        max_output_tokens=listed.max_output_tokens or sample.max_output_tokens,
        capabilities=(
            sample.capabilities if listed.capabilities is None else listed.capabilities
        ),
    )
    return make_deployment(described, listed.id)
