"""Fixtures for OpenAI's routes: an app on fakes, and a caller with a good token."""

import pytest
from face_fakes import build
from model_fakes import CHAT, OpenAIServices


@pytest.fixture
def services():
    return OpenAIServices()


@pytest.fixture
def completions(services):
    """Who is asked by the routes, and what was asked."""
    return services.completions


@pytest.fixture
def ask(services):
    """Post JSON to a route below `/v1`: `ask("/chat/completions", {...})`."""
    client = build(services).test_client()

    def post(path, body, **headers):
        return client.post(f"/v1{path}", json=body, headers={**CHAT, **headers})

    return post
