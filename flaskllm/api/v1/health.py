"""`GET /api/v1/health` and `/api/v1/health/ready`: status words, nothing else."""

from typing import Literal

from flask import Blueprint, Response, current_app
from flask_caching import Cache
from pydantic import BaseModel

from flaskllm.api import context
from flaskllm.api.guard import public
from flaskllm.api.openapi import documented
from flaskllm.api.replies import data_reply
from flaskllm.api.v1.paging import Nothing
from flaskllm.services.health import Readiness
from flaskllm.services.settings import SettingsState

CACHE_EXTENSION = "flaskllm.cache"
READY_FOR_SECONDS = 1

blueprint = Blueprint("health", __name__)
alias = Blueprint("health_alias", __name__)


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"]


class HealthReply(BaseModel):
    """The answer to a probe of the process."""

    data: Health
    meta: Nothing


class Ready(BaseModel):
    """Whether the service can work, and by which settings.

    `degraded` means that everything is answered, while what processes share is out of
    reach: each counts limits by itself. `rejected` means that the settings file holds
    something that cannot be used: the settings before it are still in force.
    """

    status: Readiness
    settings: SettingsState


class ReadinessReply(BaseModel):
    """The answer to a probe of the service."""

    data: Ready
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
    replies={200: ReadinessReply, 503: ReadinessReply},
)
def ready() -> Response:
    """Return how ready it is, looked up at most once a second."""
    cache: Cache = current_app.extensions[CACHE_EXTENSION]
    status = cache.get("health:ready")
    if status is None:
        status = context.services().health.readiness()
        cache.set("health:ready", status, timeout=READY_FOR_SECONDS)
    data = {"status": status, "settings": context.services().settings.settings_state()}
    return data_reply(data, {}, 503 if status == "not_ready" else 200)
