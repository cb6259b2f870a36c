"""Floor 4: the HTTP face. The table below is the map of all routes."""

from flask import Blueprint, Flask
from flask_caching import Cache
from flask_limiter import Limiter

from flaskllm.api import context, errors, guard, headers
from flaskllm.api.openapi import describe
from flaskllm.api.v1 import health, openapi, templates, webhook
from flaskllm.api.validation import ADMIN_BODY_BYTES
from flaskllm.core.config import LimitSettings, ServerSettings
from flaskllm.services import Services

_ROUTES: tuple[tuple[str, Blueprint], ...] = (
    ("/api/v1", webhook.blueprint),  # POST /webhook
    ("/api/v1", templates.blueprint),  # GET /templates
    ("/api/v1", health.blueprint),  # GET /health, /health/ready
    ("/api/v1", openapi.blueprint),  # GET /openapi.json
    ("", health.alias),  # GET /health
)


def register(
    app: Flask,
    services: Services,
    *,
    server: ServerSettings,
    limits: LimitSettings,
    limiter: Limiter,
    cache: Cache,
) -> None:
    """Put the whole HTTP face on `app`, which must have no static folder.

    Args:
        app: A bare application.
        services: The use cases.
        server: Trusted hosts, and whether https is required.
        limits: How often a peer may fail to prove itself, and visit open routes.
        limiter: Initialised with `app`; its strategy and its storage are used.
        cache: Initialised with `app`.

    Raises:
        RuntimeError: A route is neither guarded nor public, or is not declared.
    """
    # `//api/v1/x` is another address than `/api/v1/x`, not a reason to redirect.
    app.url_map.merge_slashes = False
    # For every route that does not set its own.
    app.config["MAX_CONTENT_LENGTH"] = ADMIN_BODY_BYTES
    app.extensions[health.CACHE_EXTENSION] = cache
    # The order counts: an id first, then the request's form, then the caller.
    context.init(app, services)
    errors.init(app)
    headers.init(app, server)
    guard.init(app, limiter, limits)
    for prefix, blueprint in _ROUTES:
        app.register_blueprint(blueprint, url_prefix=prefix)
    guard.check_routes(app)
    describe(app)
