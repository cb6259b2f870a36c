"""Requests are counted, and replies tell how the limits of their principal stand.

Sources: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/,
https://platform.openai.com/docs/guides/rate-limits and
https://platform.claude.com/docs/en/api/rate-limits.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from flask import Flask, Response, g, request

from flaskllm.api import context
from flaskllm.api.dialects import Dialect, dialect_of
from flaskllm.core.auth import Principal
from flaskllm.services.limits import WINDOW_SECONDS, Standing

Headers: TypeAlias = dict[str, str]

# An upstream may tell these two apart; our own limit is of both together.
_PARTS_OF_TOKENS = tuple(
    f"anthropic-ratelimit-{part}-tokens-{what}"
    for part in ("input", "output")
    for what in ("limit", "remaining", "reset")
)


def init(app: Flask) -> None:
    """Let every reply to a principal with limits tell how they stand."""
    app.after_request(_tell)


def count_request(principal: Principal) -> None:
    """Count a request of this principal, or a turn of its WebSocket.

    Raises:
        RateLimitExceeded: There were too many in the last minute.
    """
    g.counted = principal
    context.services().limits.hit_request(principal)


def native_headers(standings: Sequence[Standing], _now: datetime) -> Headers:
    """Return the fields of the draft: what the limits are, and what is left of them.

    `t` are the seconds in which no more than `r` can be used.

    Example:
        `RateLimit-Policy: "requests";q=100;w=60` and
        `RateLimit: "requests";r=57;t=12`.
    """
    policies = (
        f'"{each.kind}";q={each.limit};w={WINDOW_SECONDS}{_unit(each)}'
        for each in standings
    )
    left = (
        f'"{each.kind}";r={each.remaining};t={math.ceil(each.more_seconds)}'
        for each in standings
    )
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(left)}


def openai_headers(standings: Sequence[Standing], _now: datetime) -> Headers:
    """Return OpenAI's headers; a reset is when all of a limit is free again."""
    headers = {}
    for each in standings:
        headers[f"x-ratelimit-limit-{each.kind}"] = str(each.limit)
        headers[f"x-ratelimit-remaining-{each.kind}"] = str(each.remaining)
        headers[f"x-ratelimit-reset-{each.kind}"] = duration(each.full_seconds)
    return headers


def anthropic_headers(standings: Sequence[Standing], now: datetime) -> Headers:
    """Return Anthropic's headers; a reset is the moment of the same, in UTC."""
    headers = {}
    for each in standings:
        prefix = f"anthropic-ratelimit-{each.kind}"
        headers[f"{prefix}-limit"] = str(each.limit)
        headers[f"{prefix}-remaining"] = str(each.remaining)
        headers[f"{prefix}-reset"] = _moment(now, each.full_seconds)
    return headers


def duration(seconds: float) -> str:
    """Return a time as OpenAI writes one: `0s`, `20ms`, `1.5s`, `6m0s`.

    It is rounded up to a millisecond.
    """
    milliseconds = math.ceil(seconds * 1000)
    if 0 < milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    told = f"{rest / 1000:.3f}".rstrip("0").rstrip(".") + "s"
    return f"{minutes}m{told}" if minutes else told


_BY_DIALECT: Mapping[Dialect, Callable[[Sequence[Standing], datetime], Headers]] = {
    "native": native_headers,
    "openai": openai_headers,
    "anthropic": anthropic_headers,
}


def _tell(response: Response) -> Response:
    principal: Principal | None = g.get("counted")
    if principal is None:
        return response
    house = context.services()
    standings = house.limits.standing(principal)
    if not standings:
        return response
    if any(each.kind == "tokens" for each in standings):
        for name in _PARTS_OF_TOKENS:
            response.headers.pop(name, None)
    headers = _BY_DIALECT[dialect_of(request.path)]
    # An upstream may have told of the same kinds; those are not the caller's limits.
    response.headers.update(headers(standings, house.clock.now()))
    return response


def _unit(standing: Standing) -> str:
    """Return the parameter that names the unit, where it is not the usual one."""
    return "" if standing.kind == "requests" else f';qu="{standing.kind}"'


def _moment(now: datetime, seconds: float) -> str:
    moment = now + timedelta(seconds=seconds)
    if moment.microsecond:
        moment = moment.replace(microsecond=0) + timedelta(seconds=1)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
