"""The application factory. It opens nothing: no file, no socket, no database."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from flask_caching import Cache
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from werkzeug.middleware.proxy_fix import ProxyFix

from flaskllm import api
from flaskllm.core import logs, windows
from flaskllm.core.config import Loaded, load_from_process
from flaskllm.services import Services
from flaskllm.wiring import build_services, secrets_of


class _App(Flask):
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return it: none of ours is asynchronous; Flask asks ten times a request."""
        return func


def create_app(loaded: Loaded | None = None, services: Services | None = None) -> Flask:
    """Return the gateway as a WSGI application.

    Args:
        loaded: The settings; those of this process when omitted.
        services: The use cases; built from the settings when omitted.

    Raises:
        ConfigError: The settings are wrong; it names every problem.
        RuntimeError: A route is neither guarded nor public.
    """
    loaded = loaded or load_from_process()
    settings = loaded.settings
    redactor = logs.configure(
        settings.log_level,
        settings.log_format,
        settings.log_file,
        secrets_of(settings),
    )
    # Static files and the folder of templates come with the pages.
    app = _App("flaskllm", static_folder=None, template_folder=None)
    api.register(
        app,
        services or build_services(loaded, redactor=redactor),
        server=settings.server,
        limits=settings.limits,
        limiter=_limiter(app),
        cache=_cache(app),
    )
    if settings.server.proxy_hops:
        _trust_proxies(app, settings.server.proxy_hops)
    return app


def _limiter(app: Flask) -> Limiter:
    """Return the counter of refusals and visits, kept in this process's memory."""
    limiter = Limiter(
        key_func=get_remote_address,
        storage_uri=f"{windows.SCHEME}://",
        strategy="moving-window",
    )
    # As if it were there already: then it adds no hooks of its own, which look for
    # limits on every route. Ours are checked by the guard alone.
    app.extensions["limiter"] = {limiter}
    limiter.init_app(app)
    return limiter


def _cache(app: Flask) -> Cache:
    return Cache(app, config={"CACHE_TYPE": "SimpleCache"})


def _trust_proxies(app: Flask, hops: int) -> None:
    app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # Flask's documented way
        app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
    )
