"""What upstreams tell of models that the settings leave undescribed.

The operator of a server chooses which window its models have, and what they can do
differs from one to the next: where the settings do not say it, the server is asked.
Only for a request to which it may matter, and rarely; what cannot be learnt stays
unknown, and so unchecked.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from flaskllm.core import logs
from flaskllm.core.clock import Clock, Deadline
from flaskllm.core.errors import APIError, LLMUnavailable
from flaskllm.llm.discovery import fetch_models
from flaskllm.llm.fetched import Fetched
from flaskllm.llm.needs import has_images
from flaskllm.llm.parts import Image, Part, Text, Thinking, ToolCall, ToolResult
from flaskllm.llm.providers import Describer, ListedModel, Lister
from flaskllm.llm.senders import Sender
from flaskllm.llm.types import CompletionRequest, Deployment

_log = logging.getLogger(__name__)

_Value = TypeVar("_Value")

# All that one request may spend on asking.
_ASKING_SECONDS = 2.0
# Hardly a text takes more tokens than characters, or a model has a smaller window.
_LARGE_CHARACTERS = 2000
_IMAGE_CHARACTERS = 1600  # as many as an image may take tokens
# Callers may name models; the one asked about first is forgotten first.
_MOST_MODELS = 1000


@dataclass(frozen=True, slots=True)
class Source:
    """One upstream that tells of its models: all in a list, or each by itself."""

    provider: Lister | Describer
    sender: Sender


class Descriptions:
    """What is known of the models of some upstreams, by the provider's name."""

    def __init__(self, sources: Mapping[str, Source], clock: Clock) -> None:
        """Ask nobody yet."""
        self._tellers = {name: _teller(name, each) for name, each in sources.items()}
        self._clock = clock

    def fill(
        self, deployments: Sequence[Deployment], request: CompletionRequest
    ) -> Sequence[Deployment]:
        """Return the deployments, with what their upstreams tell in the gaps.

        An upstream is asked for a window when the input is large, and for what a
        model can do when the request needs more than words; all together may take
        two seconds. What it tells is good for five minutes.
        """
        if all(self._tellers.get(each.provider) is None for each in deployments):
            return deployments
        gaps = _Gaps(_is_large(request), _is_demanding(request))
        deadline = Deadline.after(_ASKING_SECONDS, self._clock)
        return [self._filled(each, gaps, deadline) for each in deployments]

    def fill_from_memory(
        self, deployments: Sequence[Deployment], request: CompletionRequest
    ) -> Sequence[Deployment]:
        """Return the deployments with what their upstreams told before.

        No upstream is asked. What `fill` would ask for and was never told stays
        unknown.
        """
        gaps = _Gaps(_is_large(request), _is_demanding(request))
        return [self._filled(each, gaps, None) for each in deployments]

    def _filled(
        self, deployment: Deployment, gaps: "_Gaps", deadline: Deadline | None
    ) -> Deployment:
        teller = self._tellers.get(deployment.provider)
        if teller is None or not gaps.matter(deployment, teller):
            return deployment
        told = teller.told(deployment.model, deadline)
        return deployment if told is None else _told_of(deployment, told)


@dataclass(frozen=True, slots=True)
class _Gaps:
    """What a request needs to know: a window, or what a model can do."""

    is_large: bool
    is_demanding: bool

    def matter(self, deployment: Deployment, teller: "_Teller") -> bool:
        if self.is_large and deployment.context_window is None:
            return True
        asks = self.is_demanding and deployment.capabilities is None
        return asks and teller.tells_abilities


class _AllInAList:
    """The models of an upstream that lists them with their windows."""

    tells_abilities = False

    def __init__(self, name: str, lister: Lister, sender: Sender) -> None:
        def fetch(deadline: Deadline) -> tuple[ListedModel, ...]:
            return fetch_models(lister, sender, deadline)

        self._listed = Fetched(fetch, lambda error: _tell(name, error))

    def told(self, model: str, deadline: Deadline | None) -> ListedModel | None:
        """Return the model; a server that has one answers with it to every name.

        Without a deadline the server is not asked.
        """
        listed = _value(self._listed, deadline) or ()
        if len(listed) == 1:
            return listed[0]
        return next((each for each in listed if each.id == model), None)


class _EachByItself:
    """The models of an upstream that is asked for each."""

    tells_abilities = True

    def __init__(self, name: str, describer: Describer, sender: Sender) -> None:
        self._name = name
        self._describer = describer
        self._sender = sender
        self._lock = threading.Lock()
        self._models: dict[str, Fetched[ListedModel]] = {}

    def told(self, model: str, deadline: Deadline | None) -> ListedModel | None:
        """Return what the upstream tells of the model, or told last.

        Without a deadline it is not asked.
        """
        with self._lock:
            fetched = self._models.get(model)
            if fetched is None and deadline is None:
                return None
            if fetched is None:
                fetched = self._models[model] = self._begin(model)
                if len(self._models) > _MOST_MODELS:
                    del self._models[next(iter(self._models))]
        return _value(fetched, deadline)

    def _begin(self, model: str) -> Fetched[ListedModel]:
        def fetch(deadline: Deadline) -> ListedModel:
            request = self._describer.encode_show(model)
            reply = self._sender.send(request, deadline=deadline)
            if reply.status != 200:
                raise LLMUnavailable(details=f"Its details: status {reply.status}.")
            return self._describer.decode_show(reply, model)

        return Fetched(fetch, lambda error: _tell(self._name, error))


_Teller = _AllInAList | _EachByItself


def _value(fetched: Fetched[_Value], deadline: Deadline | None) -> _Value | None:
    return fetched.last() if deadline is None else fetched.now(deadline)


def _teller(name: str, source: Source) -> _Teller:
    if isinstance(source.provider, Describer):
        return _EachByItself(name, source.provider, source.sender)
    return _AllInAList(name, source.provider, source.sender)


def _tell(provider: str, error: APIError) -> None:
    logs.event(
        _log,
        logging.WARNING,
        "model_not_described",
        provider=provider,
        code=error.code,
    )


def _told_of(deployment: Deployment, told: ListedModel) -> Deployment:
    known = deployment.capabilities
    return replace(
        deployment,
        context_window=deployment.context_window or told.context_window,
        max_output_tokens=deployment.max_output_tokens or told.max_output_tokens,
        capabilities=told.capabilities if known is None else known,
    )


def _is_large(request: CompletionRequest) -> bool:
    """Tell whether there may be a model whose window the input does not fit."""
    length = 0
    for message in request.messages:
        length += _length(message.parts)
        if length >= _LARGE_CHARACTERS:
            return True
    return False


def _is_demanding(request: CompletionRequest) -> bool:
    """Tell whether the request needs what some models cannot do."""
    thinks = request.effort is not None or request.thinking_tokens is not None
    return thinks or bool(request.tools) or has_images(request)


def _length(parts: Sequence[Part]) -> int:
    return sum(_LENGTHS[type(part)](part) for part in parts)


_LENGTHS: Mapping[type, Callable[[Any], int]] = {
    Text: lambda part: len(part.text),
    Image: lambda part: _IMAGE_CHARACTERS,
    ToolCall: lambda part: len(part.arguments),
    ToolResult: lambda part: _length(part.content),
    Thinking: lambda part: len(part.text),
}
