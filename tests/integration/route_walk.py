"""Every route of an app, and which of them are open to everybody."""

OPEN_ROUTES = {"/health", "/api/v1/health", "/api/v1/health/ready"}


def routes_of(app):
    """Return (method, address) of every route; none takes a value in its path."""
    found = []
    for rule in app.url_map.iter_rules():
        assert not rule.arguments, rule
        found += [(method, rule.rule) for method in rule.methods]
    return sorted(found)


def guarded_routes_of(app):
    """Return those that need an API token."""
    return [route for route in routes_of(app) if route[1] not in OPEN_ROUTES]


def bearer(token):
    """Return the value of an Authorization header."""
    return f"Bearer {token}"
