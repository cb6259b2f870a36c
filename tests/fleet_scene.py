"""Processes that share what they find, as their health sees it."""

from collections import Counter

from fakes import FakeClock
from health_scene import UNKNOWN, Middle, deployment

from flaskllm.core.errors import (
    LLMUnavailable,
)
from flaskllm.core.findings import Finding
from flaskllm.core.metrics import Metrics
from flaskllm.core.upstream_counts import Counts, Given, Refused, Taken, Wanted, settle
from flaskllm.llm.health import Health, Policy, Visit
from flaskllm.llm.health.sharing import Held
from flaskllm.llm.terms import Limits

PRINTS = {"a": "1", "b": "1"}
PROVIDERS = {"p": "1"}


class Shared:
    """What all processes share: counts, and whoever hears findings."""

    def __init__(self):
        self.clock = FakeClock()
        self.counts = {}
        self.asked = Counter()
        self.given = []
        self.members = []

    def settle(self, key, what):
        before = self.counts.get(key, Counts())
        settled = settle(before, what, self.clock.now().timestamp())
        self.counts[key] = settled.counts
        return settled.answer


class Member:
    """One process: its health, and how it shares."""

    def __init__(self, shared, prints=PRINTS, providers=PROVIDERS):
        self.shared = shared
        self.name = f"host:{len(shared.members)}"
        self.metrics = Metrics()
        self.health = Health(shared.clock, Middle(), Policy(), self.metrics)
        self.health.retain(prints, providers)
        self.health.share(self)
        self.seats = 0
        shared.members.append(self)

    # what the health of this process is given

    def name_of(self, text):
        return f"name of {text}"

    def take(self, place, limits, tokens, *, is_probe):
        self.shared.asked[place] += 1
        self.seats += 1
        seat = f"{self.name}:{self.seats}"
        answer = self.shared.settle(
            place,
            Wanted(
                seat,
                tokens,
                limits.requests_per_minute,
                limits.tokens_per_minute,
                limits.concurrent_requests,
                probe_seconds=10 if is_probe else 0,
            ),
        )
        if isinstance(answer, Refused):
            return answer
        assert isinstance(answer, Taken)
        is_awaited = bool(
            is_probe or limits.tokens_per_minute or limits.concurrent_requests
        )
        return Held(place, seat, answer.second, tokens, answer.headroom, is_awaited)

    def give(self, held, used_tokens):
        more = 0 if used_tokens is None else used_tokens - held.tokens
        self.shared.given.append(more)
        self.shared.settle(held.key, Given(held.seat, held.second, more))

    def tell(self, finding):
        told = Finding(
            finding.subject,
            finding.kind,
            finding.left_seconds,
            finding.code,
            finding.times,
            self.name,
        )
        for each in self.shared.members:
            if each is not self:
                each.health.hear([told])

    # what a test does

    def enter(self, asked, tokens=10, **how):
        return self.health.enter(asked, "r", tokens=tokens, streams=False, **how)

    def ask(self, asked, error=None, usage=UNKNOWN, **how):
        visit = self.enter(asked, **how)
        assert isinstance(visit, Visit), visit
        visit.end(error, usage, 1.0)

    def fail(self, asked, times=5, error=None):
        for _ in range(times):
            self.ask(asked, error or LLMUnavailable())

    def stands(self, asked):
        """Return its state, and the reason and seconds of what is in the way."""
        standing = self.health.look(asked)
        way = standing.obstacle
        return standing.state, way and way.reason, way and way.seconds


A, B = deployment("a"), deployment("b")
FEW = deployment("a", limits=Limits(requests_per_minute=3))
TOKENS = deployment("a", limits=Limits(tokens_per_minute=100))
SEATS = deployment("a", limits=Limits(concurrent_requests=2))
