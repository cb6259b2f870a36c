"""What is cleared is answered no more, by whomever and of whatever it was."""

import pytest
from cache_scene import cached, open_client
from click.testing import CliRunner

from flaskllm.cli import cli


@pytest.fixture(params=["memory", "database"])
def caller(request, make_gateway, upstream):
    return open_client(make_gateway, upstream, request.param)


@pytest.fixture
def one(make_gateway, upstream):
    return open_client(make_gateway, upstream, "memory")


@pytest.mark.parametrize("query", ["", "?alias=kept", "?alias=kept&template=summary"])
def test_what_is_cleared_is_answered_no_more(caller, query):
    caller.post()

    assert caller.clear(query).status_code == 200
    assert [cached(caller.post()) for _ in range(2)] == ["miss", "hit"]


def test_by_api_token_and_not_by_another(caller):
    caller.post()
    own = caller.get("/api/v1/tokens/self").json["data"]["id"]

    caller.clear("?token=bootstrap&alias=warm")
    assert cached(caller.post()) == "hit"
    caller.clear(f"?token={own}")
    assert cached(caller.post()) == "miss"


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("?alias=kep", "alias: 'kep' is unknown; allowed: kept"),
        ("?alias=kept&template=sumary", "template: 'sumary' is unknown"),
        ("?alias=kept&token=somebody", "token: 'somebody' is unknown"),
    ],
)
def test_a_name_that_nothing_has_is_refused_and_nothing_is_cleared(one, query, told):
    one.post()

    refused = one.clear(query)

    assert refused.status_code == 400
    assert told in refused.json["details"]
    assert cached(one.post()) == "hit"
    assert one.get("/api/v1/audit?action=cache.").json["data"] == []


def test_what_a_revoked_api_token_was_answered_can_be_cleared(one):
    made = one.post("/api/v1/tokens", {"name": "gone", "scopes": ["chat"]})
    gone = made.json["data"]["id"]
    bearer = {"Authorization": f"Bearer {one.token}"}
    one.gateway.client.delete(f"/api/v1/tokens/{gone}", headers=bearer)

    assert one.clear(f"?token={gone}").status_code == 200


def test_it_is_on_record(one):
    one.clear("?alias=kept")

    (row,) = one.get("/api/v1/audit?action=cache.").json["data"]
    assert (row["action"], row["object"]) == ("cache.clear", "alias:kept")


def test_by_the_command_for_those_who_share_a_store(caller):
    caller.post()
    services = caller.gateway.services

    done = CliRunner().invoke(
        cli.commands["cache"], ["clear", "--alias=kept"], obj=lambda: services
    )

    assert (done.exit_code, done.output) == (0, "cleared: alias:kept\n")
    assert cached(caller.post()) == "miss"


def test_the_command_refuses_a_name_that_nothing_has(one):
    services = one.gateway.services

    done = CliRunner().invoke(
        cli.commands["cache"], ["clear", "--alias=kep"], obj=lambda: services
    )

    assert (done.exit_code, done.stdout) == (2, "")
    assert "'kep' is unknown; allowed: kept" in done.stderr


def test_all_of_one_principal_is_removed(caller):
    caller.post()
    own = caller.get("/api/v1/tokens/self").json["data"]["id"]

    assert caller.gateway.services.clearing.forget(own) > 0
    assert cached(caller.post()) == "miss"
