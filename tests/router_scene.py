"""A router before scripted upstreams, for the tests of how it goes on."""

import json
from dataclasses import dataclass, field, replace
from random import Random

from fakes import FakeClock

from flaskllm.core.clock import Deadline
from flaskllm.llm.catalog import Catalog, Route
from flaskllm.llm.health import Health
from flaskllm.llm.health import Policy as HealthPolicy
from flaskllm.llm.parts import Message
from flaskllm.llm.patience import Policy
from flaskllm.llm.providers import build_provider
from flaskllm.llm.router import Router
from flaskllm.llm.terms import UNLIMITED
from flaskllm.llm.types import (
    Call,
    Completion,
    CompletionRequest,
    Deployment,
    Extraction,
    Usage,
)
from flaskllm.net.transport import HttpReply

REQUEST = CompletionRequest(None, (Message("user", "When is the launch?"),))
DIGEST = replace(REQUEST, extraction=Extraction("summary", "en", ()))
COUNTED = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}


def answer(text="Friday.", usage=COUNTED, finish_reason="stop", model="upstream-name"):
    """Return the reply of an upstream that answers."""
    choice = {"message": {"content": text}, "finish_reason": finish_reason}
    body = {"choices": [choice], "model": model, "usage": usage}
    return HttpReply(200, {}, json.dumps(body).encode())


def status(code, headers=None):
    """Return the reply of an upstream that fails."""
    return HttpReply(code, headers or {}, b"{}")


@dataclass
class FakeSender:
    """Answers with each scripted reply or error once, and takes its time."""

    clock: FakeClock
    steps: list
    seconds: float = 1.0
    sent: list = field(default_factory=list)

    def send(self, request, *, deadline, caller=None, first_byte_seconds=None):
        self.sent.append((request, deadline, caller, first_byte_seconds))
        self.clock.advance(self.seconds)
        step = self.steps.pop(0)
        if isinstance(step, BaseException):
            raise step
        return step


@dataclass
class FakeLocal:
    """Answers without an upstream, or says that it cannot."""

    error: Exception | None = None

    def answer(self, request):
        if self.error:
            raise self.error
        return Completion("Extracted.", "stop", Usage(), "extractive")


class Half(Random):
    """Draws one half for ever, so that waits can be said beforehand."""

    def random(self):
        return 0.5


@dataclass
class Scene:
    """A router before scripted upstreams, and what its caller sees."""

    router: Router
    senders: dict
    clock: FakeClock
    call: Call
    begun: list
    ended: list
    waited: list
    health: Health

    def complete(self, request=REQUEST):
        return self.router.complete(request, self.call)


def scene(
    offline=None,
    deadline_seconds=60.0,
    begin=None,
    health_policy=HealthPolicy(),  # noqa: B008 - frozen
    models=None,
    limits=UNLIMITED,
    metrics=None,
    **scripts,
):
    """Route `main` to deployment a, its fallbacks to the others in order.

    All have the same limits, and the same model but for those that `models` names.
    """
    clock = FakeClock()
    begun, ended, waited = [], [], []
    deployments = _deployments(scripts, models or {}, limits)
    others = tuple(name for name in scripts if name != "a")
    fallbacks = (*others, "offline") if offline else others
    routes = [Route(alias="main", weights={"a": 1}, fallbacks=fallbacks)]
    routes += [Route(alias=name, weights={name: 1}) for name in others]
    provider = build_provider("vllm", None, None, clock)
    senders = {name: FakeSender(clock, list(steps)) for name, steps in scripts.items()}

    def before(attempt):
        if begin:
            begin(attempt)
        begun.append(attempt)

    def wait(seconds):
        waited.append(seconds)
        clock.advance(seconds)

    call = Call(
        Deadline.after(deadline_seconds, clock),
        wait,
        before,
        lambda attempt, outcome: ended.append((attempt, outcome)),
    )
    router = Router(
        Catalog(tuple(routes), deployments),
        {**dict.fromkeys(scripts, provider), "offline": offline},
        senders,
        Policy(),
        Half(),
        health=(health := Health(clock, Half(), health_policy, metrics)),
    )
    return Scene(router, senders, clock, call, begun, ended, waited, health)


def _deployments(names, models, limits):
    return {
        name: Deployment(name, name, "vllm", models.get(name, "m"), limits=limits)
        for name in names
    }


def codes(shown):
    """Return how the attempts ended, in their order."""
    return [outcome.code for _, outcome in shown.ended]


def asked(shown):
    """Return the names of the deployments that were asked, in their order."""
    return [attempt.deployment.name for attempt in shown.begun]
