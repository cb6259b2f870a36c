"""A request from its first to its last moment: id, clock, log line, `Call`."""

import logging
import socket
from collections.abc import Sequence
from typing import cast

from flask import Flask, Response, current_app, g, request

from flaskllm.api.budget_notices import budget_header
from flaskllm.api.cache_wishes import cache_headers, wish_here
from flaskllm.api.callers import caller_socket
from flaskllm.api.measuring import Timing, measure
from flaskllm.api.replies import header_text
from flaskllm.core import ids, logs
from flaskllm.core.auth import Actor, Principal
from flaskllm.core.clock import Deadline
from flaskllm.core.errors import (
    APIError,
    InternalError,
    LLMRateLimited,
    ServiceUnavailable,
)
from flaskllm.llm.cached import CacheNote
from flaskllm.llm.confined import Confined
from flaskllm.llm.types import Attempt, Call, Outcome
from flaskllm.services import Services
from flaskllm.services.accounts import Account
from flaskllm.services.attempt_notes import hearer_of, note_attempt
from flaskllm.services.budgets import BudgetNotice

EXTENSION = "flaskllm"
_DECISION = "X-Flaskllm-Decision"

_log = logging.getLogger(__name__)


def init(app: Flask, services: Services) -> None:
    """Give every request of `app` an id, a log line and these services."""
    app.extensions[EXTENSION] = services
    app.before_request(_begin)
    app.after_request(_finish)
    app.teardown_request(_end)


def services() -> Services:
    """Return the use cases that the views of this app call."""
    return cast(Services, current_app.extensions[EXTENSION])


def request_id() -> str:
    """Return the id of this request, also sent back as `X-Request-ID`."""
    return str(g.request_id)


def principal() -> Principal:
    """Return who is calling; only guarded routes have one."""
    return cast(Principal, g.principal)


def elapsed_seconds() -> float:
    """Return the time since this request arrived."""
    return float(services().clock.monotonic() - g.timing.started_seconds)


def note_failure(error: APIError) -> None:
    """Let the line of this request say that it ended with `error`."""
    g.failure = error


def note_degraded() -> None:
    """Let the line of this request say that a model did not make all of it."""
    g.degraded = True


def note_confined() -> None:
    """Let nothing be kept of the answer to this request: its text had to stay local."""
    g.is_confined = True


def is_confined() -> bool:
    """Tell whether that is so."""
    return bool(g.get("is_confined", False))


def note_websocket() -> None:
    """Let this request be no request: it becomes a connection with its own line."""
    g.is_websocket = True
    services().metrics.count_request(_rule(), request.method, 101)


def account() -> Account:
    """Return what this request, or this turn, spends; only what has a call has one."""
    return cast(Account, g.account)


def notices() -> Sequence[BudgetNotice]:
    """Return the budgets that this request, or this turn, has passed so far."""
    return account().notices if "account" in g else ()


def make_call(
    source: str, *, turn_id: str | None = None, caller: socket.socket | None = None
) -> Call:
    """Return what travels down with this request of a known principal.

    Money is reserved for each attempt before it is made; the moment it ends it is
    logged, counted and settled.

    Args:
        source: Through which door the request came, such as `openai:chat`.
        turn_id: The request's id in the records, where one connection asks often.
        caller: What to watch for a hang-up; the request's own socket if omitted.
    """
    house, timing = services(), g.timing
    asked_as = turn_id or request_id()
    actor = Actor(principal().id, request.remote_addr or "", asked_as)
    deadline = Deadline.after(house.deadline_seconds, house.clock)
    notes = g.cache_notes = list[CacheNote]()
    spender = g.account = house.accounts.open(
        principal(),
        request_id=asked_as,
        source=source,
        deadline=deadline,
    )

    def before(attempt: Attempt) -> None:
        spender.before(attempt)
        timing.decision = attempt.decision

    def after(attempt: Attempt, outcome: Outcome) -> None:
        timing.upstream_seconds += outcome.latency_seconds
        note_attempt(house.metrics, attempt, outcome)
        spender.after(attempt, outcome)

    def confined(what: Confined) -> None:
        note_confined()
        house.privacy.record(actor, what)

    return Call(
        deadline=deadline,
        wait=house.clock.sleep,
        before=before,
        after=after,
        caller=caller or caller_socket(),
        aliases=principal().aliases,
        confined=confined,
        principal_id=principal().id,
        cache=wish_here(),
        cached=hearer_of(house.metrics, spender, notes),
    )


def _begin() -> None:
    g.timing = Timing(services().clock.monotonic())
    g.request_id = ids.request_id(request.headers.get("X-Request-ID"))
    logs.bind(request_id=g.request_id)


def _finish(response: Response) -> Response:
    """Send the id back, count this request, and write its one line."""
    response.headers["X-Request-ID"] = g.request_id
    if g.get("is_websocket"):
        return response
    if g.timing.decision:
        response.headers[_DECISION] = header_text(g.timing.decision)
    response.headers.update(budget_header(notices()))
    response.headers.update(cache_headers(g.get("cache_notes", ())))
    house, rule = services(), _rule()
    # Once the answer is out: nobody waits for it.
    response.call_on_close(house.housekeeping.keep_house)
    house.metrics.count_request(rule, request.method, response.status_code)
    measure(house.metrics, house.clock, g.timing, rule, response)
    failure = g.get("failure")
    degraded = g.get("degraded", False)
    logs.event(
        _log,
        _level_of(response.status_code, degraded, failure),
        "request_answered",
        error=_cause_to_show(failure),
        method=request.method,
        # The rule, never the path or the query: those may hold anything.
        rule=rule,
        status=response.status_code,
        seconds=round(elapsed_seconds(), 3),
        bytes_in=request.content_length,
        bytes_out=response.calculate_content_length(),
        peer=request.remote_addr,
        **({"degraded": True} if degraded else {}),
        **(_failure_fields(failure) if failure else {}),
    )
    return response


def _end(error: BaseException | None) -> None:
    logs.clear()


def _rule() -> str | None:
    return request.url_rule.rule if request.url_rule else None


def _level_of(status: int, degraded: bool, failure: APIError | None) -> int:
    if _takes_operator(failure):
        return logging.CRITICAL
    if status >= 500:
        return logging.ERROR
    return logging.WARNING if status >= 400 or degraded else logging.INFO


def _failure_fields(failure: APIError) -> dict[str, object]:
    """Return the code; what was wrong in detail only where the fault is not theirs.

    The details of a refusal repeat what the caller sent.
    """
    if failure.status < 500 and not isinstance(failure, LLMRateLimited):
        return {"code": failure.code}
    return {"code": failure.code, "details": failure.details or failure.message}


def _cause_to_show(failure: APIError | None) -> BaseException | None:
    """Return the error whose traceback an operator needs: ours, not a provider's.

    A store that is away for a while is told in a few words, in every request's line.
    """
    is_shown = isinstance(failure, InternalError) or _takes_operator(failure)
    return failure if is_shown else None


def _takes_operator(failure: APIError | None) -> bool:
    """Tell whether nobody knows a time to come back, as for a damaged database."""
    if not isinstance(failure, ServiceUnavailable):
        return False
    return failure.retry_after_seconds is None
