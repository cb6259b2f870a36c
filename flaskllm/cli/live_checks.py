"""Asks each upstream for its list of models, which costs nothing, and for no more."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain

from flaskllm.cli.config_check import Told
from flaskllm.core.clock import Clock, Deadline, SystemClock
from flaskllm.core.config import CheckName, Loaded, Problem, Settings
from flaskllm.core.errors import APIError, LLMCredentialRejected, LLMUnavailable
from flaskllm.llm.model_names import is_plain, nearest
from flaskllm.llm.providers import Lister, LocalProvider, Provider
from flaskllm.net.transport import HttpReply, Transport
from flaskllm.wiring.upstreams import build_providers, build_senders

SECONDS = 5.0
_AT_ONCE = 8
_OK = 200
_FIRST_SERVER_ERROR = 500
_ANY_MODEL = "*"
# They answer for nothing but what they list; others may know more names.
_LIST_ALL = ("ollama", "vllm")


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one provider's upstream told: its models, or a problem."""

    provider: str
    models: tuple[str, ...] | None = None
    problem: Problem | None = None
    why_not_asked: str = ""


@dataclass(frozen=True, slots=True)
class _Question:
    """Who is asked, and how."""

    name: str
    provider: Provider | LocalProvider
    sender: Transport = field(repr=False)
    clock: Clock


def ask_upstreams(loaded: Loaded, clock: Clock | None = None) -> Told:
    """Return what the upstreams say of themselves, each within five seconds.

    An upstream that lists no models is not asked.
    """
    settings, clock = loaded.settings, clock or SystemClock()
    providers, senders = build_providers(settings, clock), build_senders(settings)
    questions = [
        _Question(name, providers[name], senders[name], clock)
        for name in settings.providers
    ]
    try:
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            answers = list(pool.map(_ask, questions))
    finally:
        for sender in senders.values():
            sender.close()
    listed = {each.provider: each.models for each in answers if each.models is not None}
    problems = (each.problem for each in answers if each.problem)
    return Told(
        tuple(chain(problems, _check_models(settings, listed))),
        {each.provider: each.why_not_asked for each in answers if each.why_not_asked},
    )


def _ask(question: _Question) -> _Answer:
    name, provider = question.name, question.provider
    if not isinstance(provider, Lister) or isinstance(provider, LocalProvider):
        return _Answer(name, why_not_asked="lists no models")
    try:
        deadline = Deadline.after(SECONDS, question.clock)
        reply = question.sender.send(provider.encode_listing(), deadline=deadline)
    except APIError as error:
        problem = _problem(name, "reachable", f"{error.code}: {error.details}")
        return _Answer(name, problem=problem)
    if reply.status != _OK:
        return _Answer(name, problem=_refusal(name, provider, reply))
    try:
        models = tuple(each.id for each in provider.decode_listing(reply))
    except APIError:
        found = "an answer that is no list of models"
        return _Answer(name, problem=_problem(name, "models", found))
    return _Answer(name, models)


def _refusal(name: str, provider: Provider, reply: HttpReply) -> Problem:
    """Return what an answer with another status means."""
    found = f"status {reply.status} for the list of models"
    error = provider.explain(reply)
    if isinstance(error, LLMCredentialRejected):
        return Problem(
            f"providers.{name}.api_key",
            found,
            "a credential that the upstream accepts",
            check="credentials",
        )
    if reply.status >= _FIRST_SERVER_ERROR or isinstance(error, LLMUnavailable):
        return _problem(name, "reachable", found)
    return _problem(name, "models", found, is_warning=True)


def _problem(
    name: str, check: CheckName, found: str, is_warning: bool = False
) -> Problem:
    allowed = f"an upstream that answers within {SECONDS:g} seconds"
    if check == "models":
        allowed = "a list of models"
    path = f"providers.{name}"
    return Problem(path, found, allowed, check=check, is_warning=is_warning)


def _check_models(
    settings: Settings, listed: Mapping[str, Sequence[str]]
) -> Iterator[Problem]:
    """Yield each deployment whose model its upstream does not list."""
    for name, deployment in settings.deployments.items():
        models = listed.get(deployment.provider)
        if models is None or _is_listed(deployment.model, models):
            continue
        kind = settings.providers[deployment.provider].kind
        plain = [model for model in models if is_plain(model)]
        yield Problem(
            f"deployments.{name}.model",
            f"a model that is not among the {len(models)} that {deployment.provider} "
            "lists",
            "one that it lists",
            next(iter(nearest(deployment.model, plain)), ""),
            check="models",
            is_warning=kind not in _LIST_ALL,
        )


def _is_listed(model: str, listed: Sequence[str]) -> bool:
    """Tell whether a model is listed, be it with `:latest` or its date behind it."""
    if model == _ANY_MODEL or model in listed or f"{model}:latest" in listed:
        return True
    return any(
        each.removeprefix(f"{model}-").replace("-", "").isdecimal()
        for each in listed
        if each.startswith(f"{model}-")
    )
