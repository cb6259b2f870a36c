"""`GET /api/v1/health` and `/api/v1/health/ready`: status words, nothing else."""

from typing import Literal

from flask import Blueprint, Response, current_app
from flask_caching import Cache
from pydantic import BaseModel

from flaskllm.api import context
from flaskllm.api.guard import public
from flaskllm.api.openapi import documented
from flaskllm.api.replies import data_reply

CACHE_EXTENSION = "flaskllm.cache"
READY_FOR_SECONDS = 1

blueprint = Blueprint("health", __name__)
alias = Blueprint("health_alias", __name__)


class Nothing(BaseModel):
    """An empty object."""


class Health(BaseModel):
    """How the service is."""

    status: Literal["ok", "ready", "not_ready"]


class HealthReply(BaseModel):
    """The answer to a probe."""

    data: Health
    meta: Nothing


@alias.get("/health")
@blueprint.get("/health")
@public
@documented(summary="Tell that the process answers.", replies={200: HealthReply})
def live() -> Response:
    """Return `ok`: the process answers."""
    return data_reply({"status": "ok"}, {})


@blueprint.get("/health/ready")
@public
@documented(
    summary="Tell whether the service can work: 200 if it can, 503 if not.",
    replies={200: HealthReply, 503: HealthReply},
)
def ready() -> Response:
    """Return `ready` or `not_ready`, looked up at most once a second."""
    cache: Cache = current_app.extensions[CACHE_EXTENSION]
    status = cache.get("health:ready")
    if status is None:
        status = "ready" if context.services().health.ready() else "not_ready"
        cache.set("health:ready", status, timeout=READY_FOR_SECONDS)
    return data_reply({"status": status}, {}, 200 if status == "ready" else 503)
