"""Admins who keep API tokens over HTTP."""

from api_tokens import SECRET, make_token

from flaskllm.core.auth import Scope

TOKENS = "/api/v1/tokens"
AUDIT = "/api/v1/audit"


class Admin:
    """Somebody who calls the API with an API token of their own."""

    def __init__(self, gateway, token):
        self.gateway = gateway
        self.token = token

    def ask(self, method, path, body=None, **query):
        return self.gateway.client.open(
            path,
            method=method,
            json=body,
            query_string=query,
            headers={"Authorization": f"Bearer {self.token}"},
        )

    def make(self, **fields):
        """Make an API token and return the data of the answer."""
        body = {"name": "x", "scopes": ["chat"]} | fields
        made = self.ask("POST", TOKENS, body)
        assert made.status_code == 201, made.json
        return made.json["data"]


def token_gateway(make_gateway, database_url, settings=""):
    """Return a gateway over this store."""
    environ = {"FLASKLLM_DATABASE_URL": database_url, "FLASKLLM_SECRET": SECRET}
    return make_gateway(settings, environ=environ)


def full_admin(gateway):
    """Return an admin who has everything."""
    service = gateway.services.api_tokens
    return Admin(gateway, make_token(service, Scope.ADMIN, direct_models=True).text)
