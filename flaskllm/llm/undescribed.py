"""Deployments that nobody described, and who tells that they are there."""

from dataclasses import replace
from typing import Protocol

from flaskllm.llm.known_models import look_up
from flaskllm.llm.types import Deployment

# Whoever starts such a server chooses how much of a model's window it holds.
_SIZED_BY_THE_SERVER = frozenset({"ollama", "vllm", "llamacpp", "openai_compatible"})


class Discovered(Protocol):
    """The models that upstreams list by themselves."""

    def find(self, model: str, provider: str | None = None) -> Deployment | None:
        """Return the deployment of a listed model, of one provider or of the first."""
        ...

    def names(self) -> tuple[str, ...]:
        """Return the listed models' names, each once."""
        ...

    def without_asking(self) -> "Discovered":
        """Return what is known of them already; that asks no upstream."""
        ...


class NothingDiscovered:
    """The models of upstreams where none is asked."""

    def find(self, model: str, provider: str | None = None) -> Deployment | None:
        """Return None."""
        return None

    def names(self) -> tuple[str, ...]:
        """Return nothing."""
        return ()

    def without_asking(self) -> "NothingDiscovered":
        """Return this: it never asks."""
        return self


def make_deployment(sample: Deployment, model: str) -> Deployment:
    """Return the deployment of a provider's model that nobody described."""
    return with_model(replace(sample, name=f"{sample.provider}/{model}"), model)


def with_model(deployment: Deployment, model: str) -> Deployment:
    """Return the deployment with this model; what is known of its size fills gaps.

    What a model can do is never filled in: a service may offer more or less of it.
    """
    known = None if deployment.kind in _SIZED_BY_THE_SERVER else look_up(model)
    if known is None:
        return replace(deployment, model=model)
    return replace(
        deployment,
        model=model,
        context_window=deployment.context_window or known.context_window,
        max_output_tokens=deployment.max_output_tokens or known.max_output_tokens,
    )
