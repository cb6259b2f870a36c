"""The HTTP face on fake services: each test bends the fakes as it needs."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from account_fakes import make_accounts
from budget_fakes import make_budgets
from fakes import FakeClock
from flask import Flask
from flask_caching import Cache
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from idempotency_scene import make_idempotency
from job_fakes import FakeWork, make_work
from routing_fakes import make_overrides, make_providers, make_routes

from flaskllm import api
from flaskllm.core.auth import Principal, Scope
from flaskllm.core.config import LimitSettings, ServerSettings
from flaskllm.core.errors import AuthenticationError
from flaskllm.core.metrics import Metrics
from flaskllm.core.windows import Windows
from flaskllm.llm.types import Usage
from flaskllm.services.accounts import Accounts
from flaskllm.services.audit import Audit
from flaskllm.services.budget_keeping import Budgets
from flaskllm.services.digests.sizes import Plan
from flaskllm.services.digests.types import Digest, DigestResult, Summary
from flaskllm.services.health import Providers
from flaskllm.services.idempotency import Idempotency
from flaskllm.services.keeping.erasing import Erased
from flaskllm.services.limits import Limits
from flaskllm.services.overrides import Overrides
from flaskllm.services.routes import Routes
from flaskllm.services.templates import TemplateInfo, VariableInfo
from flaskllm.services.usage_panels import Panels
from flaskllm.services.usage_reports import UsageQueries
from flaskllm.services.usage_series import UsageSeries
from flaskllm.services.usage_shares import UsageShares
from flaskllm.services.usage_timings import UsageTimings
from flaskllm.storage.audit import AuditRows
from flaskllm.storage.database import Database
from flaskllm.storage.rollup_reports import RollupReports
from flaskllm.storage.usage_reports import UsageReports

TOKENS = {
    "webhook-token-abcdefghijklmnop": frozenset({Scope.WEBHOOK}),
    "chat-token-abcdefghijklmnopqrs": frozenset({Scope.CHAT}),
    "read-token-abcdefghijklmnopqrs": frozenset({Scope.READ}),
    "admin-token-abcdefghijklmnopqr": frozenset({Scope.ADMIN}),
}


# Every field of the webhook as JSON, as the order holds it, and as texts.
EVERY_FIELD = {
    "source": "email",
    "type": "classification",
    "language": "de",
    "model": "fast",
    "template": "summary",
    "variables": {"labels": ["a", "b"]},
    "response_format": "markdown",
    "metadata": {"ticket": 7},
    "reference_time": "2025-03-14T09:30:00+01:00",
    "timezone": "Europe/Berlin",
    "participants": ["Ann", "Bo"],
}
ORDERED = {
    **{name: value for name, value in EVERY_FIELD.items() if name != "metadata"},
    "reference_time": datetime(2025, 3, 14, 9, 30, tzinfo=timezone(timedelta(hours=1))),
    "participants": ("Ann", "Bo"),
}
AS_TEXT = {
    **EVERY_FIELD,
    "variables": json.dumps(EVERY_FIELD["variables"]),
    "metadata": json.dumps(EVERY_FIELD["metadata"]),
}


def token_for(scope):
    """Return the token that has just this scope."""
    (token,) = (text for text in TOKENS if text.startswith(scope))
    return token


@dataclass
class FakeTokens:
    """Knows the tokens above; `broken` is raised instead when it is set.

    `given` is what their principals have besides; `looks` counts how often it was
    asked whether one is still good, and `are_good` is what it says.
    """

    seen: list = field(default_factory=list)
    broken: Exception | None = None
    given: dict = field(default_factory=dict)
    are_good: bool = True
    looks: int = 0

    def authenticate(self, text):
        self.seen.append(text)
        if self.broken:
            raise self.broken
        if text not in TOKENS:
            raise AuthenticationError
        name = text.partition("-")[0]
        return Principal(f"{name}-id", name, TOKENS[text], "api", **self.given)

    def is_good(self, text):
        self.looks += 1
        if self.broken:
            raise self.broken
        return self.are_good and text in TOKENS


@dataclass
class FakeDigests:
    """Answers every order alike; `acts` is called in between."""

    orders: list = field(default_factory=list)
    threads_of: list = field(default_factory=list)
    acts: Any = None
    degraded: bool = False
    most_inline_calls: int | None = None

    def plan(self, order, call, threads_of=None):
        self.orders.append(order)
        return Plan(1, 90, 900, 1_500, ((),))

    def make(self, order, call, most_calls=None, threads_of=None):
        self.orders.append(order)
        self.threads_of.append(threads_of)
        if self.acts:
            self.acts(order, call)
        return DigestResult(
            id="dig_1",
            type=order.type,
            text="Grüße",
            digest=Digest(language="de", kind="email", summary=Summary("Grüße")),
            provider="extractive",
            model="offline",
            usage=Usage(input_uncached=3, output_text=2, source="provider"),
            cached=False,
            degraded=self.degraded,
            warnings=("hidden_text_removed",),
        )


class FakeTemplates:
    def list(self):
        variable = VariableInfo("tone", False, 200, "How it should sound.")
        return (
            TemplateInfo(
                "summary", 1, "summary", "Sum up.", "facts", 900, (variable,), "ab" * 32
            ),
        )


@dataclass
class FakeHealth:
    answers: list = field(default_factory=lambda: ["ready"])
    asked: int = 0

    def readiness(self):
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


@dataclass
class FakeSettings:
    state: str = "current"
    number: str = "0123456789ab"
    asked: int = 0

    def poll(self):
        pass

    def ask(self):
        self.asked += 1

    def version(self):
        return self.number

    def settings_state(self):
        return self.state


@dataclass
class FakeHousekeeping:
    """Counts how often somebody gave it a chance."""

    chances: int = 0

    def keep_house(self):
        self.chances += 1


def make_limits():
    """Return limits that are counted in memory, on a clock that stands still."""
    clock = FakeClock()
    return Limits(Windows(clock=clock), None, clock, count_local=lambda: None)


def make_usage(rollups=None):
    """Return the reports of an empty table."""
    database = Database("sqlite://", journal="wal", clock=FakeClock())
    reports, rollups = UsageReports(database), rollups or RollupReports(database)
    return UsageQueries(reports, rollups, FakeClock(), ZoneInfo("UTC"))


def make_panels():
    """Return the reports over time of empty tables."""
    rollups = RollupReports(Database("sqlite://", journal="wal", clock=FakeClock()))
    told = make_usage(rollups), rollups
    return Panels(UsageSeries(*told), UsageTimings(*told), UsageShares(*told))


class FakeErasing:
    """Finds nothing to remove, whoever is asked about."""

    def erase(self, token_id, actor, *, accounts, most_seconds):
        return Erased({}, is_complete=True)


@dataclass(frozen=True)
class FakeKeeping:
    erasing: FakeErasing = field(default_factory=FakeErasing)


class FakeClearing:
    """Has nothing to clear."""

    def clear(self, wanted, actor):
        pass


def make_audit():
    """Return the audit of an empty table."""
    return Audit(AuditRows(Database("sqlite://", journal="wal", clock=FakeClock())))


@dataclass(frozen=True)
class FakeServices:
    clock: FakeClock = field(default_factory=FakeClock)
    accounts: Accounts = field(default_factory=make_accounts)
    api_tokens: FakeTokens = field(default_factory=FakeTokens)
    audit: Audit = field(default_factory=make_audit)
    budgets: Budgets = field(default_factory=make_budgets)
    digests: FakeDigests = field(default_factory=FakeDigests)
    templates: FakeTemplates = field(default_factory=FakeTemplates)
    health: FakeHealth = field(default_factory=FakeHealth)
    housekeeping: FakeHousekeeping = field(default_factory=FakeHousekeeping)
    idempotency: Idempotency = field(default_factory=make_idempotency)
    routes: Routes = field(default_factory=make_routes)
    providers: Providers = field(default_factory=make_providers)
    overrides: Overrides = field(default_factory=make_overrides)
    settings: FakeSettings = field(default_factory=FakeSettings)
    limits: Limits = field(default_factory=make_limits)
    usage_reports: UsageQueries = field(default_factory=make_usage)
    usage_panels: Panels = field(default_factory=make_panels)
    keeping: FakeKeeping = field(default_factory=FakeKeeping)
    clearing: FakeClearing = field(default_factory=FakeClearing)
    metrics: Metrics = field(default_factory=Metrics)
    work: FakeWork = field(default_factory=make_work)
    deadline_seconds: float = 300.0

    @property
    def jobs(self):
        return self.work.jobs

    @property
    def endpoints(self):
        return self.work.endpoints

    @property
    def receivers(self):
        return self.work.receivers

    @property
    def deliveries(self):
        return self.work.deliveries


def build(services, server=None, limits=None, before=None):
    """Return an app with the whole face; `before` may add routes of its own."""
    app = Flask("face", static_folder=None)
    limiter = Limiter(
        get_remote_address, app=app, storage_uri="memory://", strategy="moving-window"
    )
    cache = Cache(app, config={"CACHE_TYPE": "SimpleCache"})
    if before:
        before(app)
    api.register(
        app,
        services,
        server=server or ServerSettings(),
        limits=limits or LimitSettings(),
        limiter=limiter,
        cache=cache,
    )
    return app
