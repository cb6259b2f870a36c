"""Floor 4: the HTTP face. The table below is the map of all routes."""

from flask import Blueprint, Flask
from flask_caching import Cache
from flask_limiter import Limiter

from flaskllm.api import (
    context,
    errors,
    guard,
    headers,
    limit_headers,
    metrics,
    websocket_door,
)
from flaskllm.api.anthropic import messages
from flaskllm.api.openai import (
    chat,
    completions,
    embeddings,
    models,
    responses,
    responses_socket,
)
from flaskllm.api.openapi import check_declared
from flaskllm.api.v1 import (
    audit,
    batches,
    budgets,
    cache,
    chat_socket,
    endpoints,
    health,
    inbound,
    inbound_door,
    jobs,
    openapi,
    providers,
    routes,
    templates,
    tokens,
    usage,
    usage_series,
    webhook,
)
from flaskllm.api.v1 import chat as native_chat
from flaskllm.api.v1 import models as native_models
from flaskllm.api.validation import ADMIN_BODY_BYTES
from flaskllm.core.config import LimitSettings, ServerSettings
from flaskllm.services import Services

_ROUTES: tuple[tuple[str, Blueprint], ...] = (
    ("/api/v1", webhook.blueprint),  # POST /webhook
    ("/api/v1", batches.blueprint),  # POST /batches
    ("/api/v1", jobs.blueprint),  # GET /jobs, and all about one; POST /deliveries/...
    ("/api/v1", endpoints.blueprint),  # GET, POST /endpoints, and all about one
    ("/api/v1", inbound.blueprint),  # GET, POST /inbound, and all about one
    ("/api/v1", inbound_door.blueprint),  # GET, POST /inbound/<sender>/<id>
    ("/api/v1", native_chat.blueprint),  # POST /chat, /chat/stream
    ("/api/v1", chat_socket.blueprint),  # GET /chat/ws
    ("/api/v1", templates.blueprint),  # GET /templates
    ("/api/v1", native_models.blueprint),  # GET /models
    ("/api/v1", routes.blueprint),  # POST /routes/explain
    ("/api/v1", health.blueprint),  # GET /health, /health/ready
    ("/api/v1", providers.blueprint),  # GET /health/providers; PUT, DELETE with a name
    ("/api/v1", usage.blueprint),  # GET /usage/summary, /usage/requests; each .csv
    ("/api/v1", usage_series.blueprint),  # GET /usage/timeseries, latency, shares; .csv
    ("/api/v1", budgets.blueprint),  # GET, POST /budgets; GET, PATCH, DELETE with an id
    ("/api/v1", tokens.blueprint),  # GET, POST /tokens; with an id PATCH, DELETE too
    ("/api/v1", cache.blueprint),  # DELETE /cache
    ("/api/v1", audit.blueprint),  # GET /audit
    ("/api/v1", openapi.blueprint),  # GET /openapi.json
    ("/v1", chat.blueprint),  # POST /chat/completions
    ("/v1", completions.blueprint),  # POST /completions
    ("/v1", embeddings.blueprint),  # POST /embeddings
    ("/v1", models.blueprint),  # GET /models, /models/{id}
    ("/v1", responses.blueprint),  # POST /responses; GET, DELETE /responses/{id}
    ("/v1", responses_socket.blueprint),  # GET /responses: WebSocket
    ("/v1", messages.blueprint),  # POST /messages, /messages/count_tokens
    ("", health.alias),  # GET /health
    ("", metrics.blueprint),  # GET /metrics
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
    limit_headers.init(app)
    websocket_door.init(app, server)
    metrics.init(app, server)
    for prefix, blueprint in _ROUTES:
        app.register_blueprint(blueprint, url_prefix=prefix)
    guard.check_routes(app)
    check_declared(app)
