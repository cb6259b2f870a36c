"""The way out to callbacks, as the settings want it."""

from flaskllm.core.clock import Clock
from flaskllm.core.config import ConfigError, Problem, Settings
from flaskllm.net.destinations import Destinations
from flaskllm.net.egress import Egress, EgressRules
from flaskllm.net.egress_connect import Proxy
from flaskllm.wiring.upstreams import read_trusted


def build_egress(settings: Settings, clock: Clock) -> Egress:
    """Return what sends callbacks; nothing is opened.

    Raises:
        ConfigError: The proxy or the CA bundle cannot be used.
    """
    told = settings.callbacks
    rules = EgressRules(
        Destinations(told.allowed_networks),
        told.allowed_ports,
        allow_http=told.allow_http,
    )
    return Egress(
        rules, clock, ca_bundle=read_trusted(), proxy=_proxy(told.trusted_proxy)
    )


def _proxy(text: str | None) -> Proxy | None:
    if text is None:
        return None
    try:
        return Proxy.from_url(text)
    except ValueError as error:
        problem = Problem(
            "callbacks.trusted_proxy",
            "no address of a proxy",  # it may hold a password
            "http://host:port, with user:password@ before the host if it wants one",
        )
        raise ConfigError([problem]) from error
