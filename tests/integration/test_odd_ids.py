"""A text that can be nobody's id reads like an id that nobody has, on both stores.

PostgreSQL cannot even be asked for a text that holds a NUL.
"""

import pytest
from token_scene import full_admin, token_gateway

ODD = ["%00", "a%00b", "resp_%00", "%ff", "%F0%9F%92%A9", "x" * 10_000]


@pytest.fixture
def admin(make_gateway, database_url):
    return full_admin(token_gateway(make_gateway, database_url))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/responses/"),
        ("DELETE", "/v1/responses/"),
        ("PUT", "/api/v1/health/providers/"),
        ("DELETE", "/api/v1/health/providers/"),
        ("GET", "/api/v1/budgets/"),
        ("DELETE", "/api/v1/budgets/"),
        ("DELETE", "/api/v1/tokens/"),
    ],
)
def test_nothing_is_found_and_nothing_breaks(admin, method, path):
    body = {"state": "open"} if method == "PUT" else None

    answers = [admin.ask(method, path + odd, body) for odd in ODD]

    assert [each.status_code for each in answers] == [404] * len(ODD)


def test_no_turn_follows_a_response_that_cannot_be(admin):
    asked = {"model": "fast", "input": "x", "previous_response_id": "resp_\0"}

    refused = admin.ask("POST", "/v1/responses", asked)

    assert refused.status_code < 500
