"""Every route of an app, and which of them need no API token."""

import re

OPEN_ROUTES = {
    "/health",
    "/api/v1/health",
    "/api/v1/health/ready",
    "/api/v1/inbound/x/x",
    "/metrics",
}


def routes_of(app):
    """Return (method, address) of every route, with an x for a value in its path."""
    return sorted(
        (method, address_of(rule.rule))
        for rule in app.url_map.iter_rules()
        for method in rule.methods
    )


def address_of(rule):
    """Return an address that a rule answers to."""
    return re.sub("<[^>]+>", "x", rule)


def guarded_routes_of(app):
    """Return those that need an API token."""
    return [route for route in routes_of(app) if route[1] not in OPEN_ROUTES]


def bearer(token):
    """Return the value of an Authorization header."""
    return f"Bearer {token}"
