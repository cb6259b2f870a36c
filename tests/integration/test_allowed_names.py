"""An API token with a list of models, on every route that takes a name or tells one."""

import pytest
from api_tokens import make_token
from fakes import answer_with, chat, json_reply
from stream_steps import sse, tokens

from flaskllm.core.auth import Scope

SETTINGS = """
providers:
  box: {{kind: openai_compatible, base_url: {url}, models: discover}}
  own: {{kind: extractive}}
deployments:
  small: {{provider: box, model: scripted-1}}
  plain: {{provider: own, model: extractive}}
routes:
  - {{alias: fast, deployments: {{small: 1}}}}
  - {{alias: secret-route, deployments: {{small: 1}}}}
  - {{alias: digests, deployments: {{small: 1}}, fallbacks: [secret-route, offline]}}
  - {{pattern: "qwen*", deployments: {{small: 1}}}}
  - {{capability: secret-work, deployments: {{small: 1}}}}
default_route: secret-route
"""
HIDDEN = ("secret-route", "qwen3-coder", "capability:secret-work", "box/scripted-1")
LISTED = {"object": "list", "data": [{"id": "listed-1", "object": "model"}]}
HI = [{"role": "user", "content": "Hi"}]
VECTORS = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
    "model": "scripted-1",
    "usage": {"prompt_tokens": 1, "total_tokens": 1},
}


def answer(received):
    if received.method == "GET":
        return json_reply(LISTED)
    if received.path.endswith("/embeddings"):
        return json_reply(VECTORS)
    if received.json.get("stream"):
        return sse(tokens("Hi"))
    return chat("Hi there.")


@pytest.fixture
def gateway(make_gateway, upstream):
    upstream.always(answer_with(answer))
    return make_gateway(SETTINGS.format(url=upstream.url))


class Caller:
    """Somebody with an API token for these names, or for all."""

    def __init__(self, gateway, *aliases, **given):
        allowed = frozenset(aliases) if aliases else None
        service = gateway.services.api_tokens
        self.token = make_token(service, *SCOPES, aliases=allowed, **given).text
        self._client = gateway.client

    def ask(self, method, path, body=None):
        header = {"Authorization": f"Bearer {self.token}"}
        return self._client.open(path, method=method, json=body, headers=header)


SCOPES = (Scope.CHAT, Scope.READ, Scope.WEBHOOK)
# Every route where a caller sends a name, by what it takes besides.
ROUTES = {
    "/v1/chat/completions": {"messages": HI},
    "/v1/completions": {"prompt": "Hi"},
    "/v1/embeddings": {"input": "Hi"},
    "/v1/responses": {"input": "Hi"},
    "/v1/messages": {"max_tokens": 9, "messages": HI},
    "/v1/messages/count_tokens": {"messages": HI},
    "/api/v1/chat": {"message": "Hi"},
    "/api/v1/chat/stream": {"message": "Hi"},
    "/api/v1/routes/explain": {"message": "Hi"},
    "/api/v1/webhook": {"prompt": "Please pay by Friday.", "type": "keywords"},
}
ANSWERED = [
    path for path in ROUTES if path not in ("/v1/completions", "/api/v1/webhook")
]


@pytest.mark.parametrize("path", ROUTES)
def test_a_hidden_name_is_an_unknown_one_and_nobody_is_asked(gateway, upstream, path):
    caller = Caller(gateway, "fast")
    # The webhook tells an unknown model as it tells every field that is not valid.
    status = 400 if path == "/api/v1/webhook" else 404
    for model in HIDDEN:
        unknown = "x" * len(model)

        hidden = caller.ask("POST", path, {"model": model, **ROUTES[path]})
        absent = caller.ask("POST", path, {"model": unknown, **ROUTES[path]})

        assert (hidden.status_code, absent.status_code) == (status, status), model
        assert told(hidden, model) == told(absent, unknown)
        assert "secret" not in hidden.text.replace(model, "")
    assert all(each.method == "GET" for each in upstream.requests)


def told(reply, model):
    """Return an error but for the name that was sent and the request's id."""
    return reply.text.replace(model, "NAME").replace(reply.headers["X-Request-ID"], "")


@pytest.mark.parametrize("path", sorted(ANSWERED))
@pytest.mark.parametrize("model", ["fast", None])
def test_an_allowed_name_is_answered_and_so_is_none(gateway, path, model):
    """Without a name the first that is allowed stands in for the default route."""
    caller = Caller(gateway, "fast", "absent")
    named = {"model": model} if model else {}
    if path.startswith("/v1/messages") and not model:
        named = {"model": "auto"}

    reply = caller.ask("POST", path, {**named, **ROUTES[path]})

    assert reply.status_code == 200, reply.text
    assert "secret" not in reply.text


@pytest.mark.parametrize("entry", ["qwen3-coder", "qwen*", "q*", "*"])
def test_what_a_pattern_takes_is_allowed_by_what_is_sent(gateway, entry):
    caller = Caller(gateway, entry)

    reply = caller.ask(
        "POST", "/v1/chat/completions", {"model": "qwen3-coder", "messages": HI}
    )

    assert reply.status_code == 200, reply.text


def test_a_provider_s_model_takes_the_leave_and_the_list(gateway):
    asked = {"model": "box/scripted-1", "messages": HI}

    def status(*aliases, direct):
        caller = Caller(gateway, *aliases, direct_models=direct)
        return caller.ask("POST", "/v1/chat/completions", asked).status_code

    assert status("box/scripted-1", direct=True) == 200
    assert status("box/*", direct=True) == 200
    assert status("box/*", direct=False) == 404
    assert status("fast", direct=True) == 404


def test_a_fallback_is_the_operator_s_choice(gateway, upstream):
    """The route goes on where its settings say, also to what may not be named."""
    upstream.always(answer_with(fail_chat))
    caller = Caller(gateway, "digests")
    document = {"prompt": "Please pay the invoice by Friday.", "type": "summary"}

    reply = caller.ask("POST", "/api/v1/webhook", {"model": "digests", **document})

    assert reply.status_code == 200, reply.text
    assert reply.json["meta"]["degraded"] is True
    assert reply.json["meta"]["provider"] == "offline"


def fail_chat(received):
    return json_reply(LISTED) if received.method == "GET" else json_reply({}, 401)


def test_offline_is_named_only_by_who_may_send_it(gateway):
    document = {"prompt": "Please pay by Friday.", "model": "offline"}

    def status(*aliases):
        return Caller(gateway, *aliases).ask("POST", "/api/v1/webhook", document)

    assert status("fast").status_code == 400
    assert status("offline").status_code == 200
    assert status().status_code == 200


def test_lists_show_what_may_be_sent(gateway):
    def lists(caller):
        openai = caller.ask("GET", "/v1/models").json["data"]
        native = caller.ask("GET", "/api/v1/models").json["data"]
        return [each["id"] for each in openai], [
            (each["name"], each["default"]) for each in native
        ]

    assert lists(Caller(gateway, "fast", "listed-1", "qwen2", "absent")) == (
        ["fast", "listed-1", "qwen2"],
        [("fast", True)],
    )
    everything, routes = lists(Caller(gateway))
    assert everything == ["fast", "secret-route", "digests", "listed-1"]
    assert ("secret-route", True) in routes


@pytest.mark.parametrize("model", [*HIDDEN, "listed-1"])
def test_one_hidden_model_reads_like_an_unknown_one(gateway, model):
    caller = Caller(gateway, "fast")
    unknown = "y" * len(model)

    hidden = caller.ask("GET", f"/v1/models/{model}")
    absent = caller.ask("GET", f"/v1/models/{unknown}")

    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert told(hidden, model) == told(absent, unknown)


def test_a_changed_list_holds_for_the_next_request(gateway):
    caller = Caller(gateway, "fast")
    token_id = caller.token.removeprefix("fllm_api_")[:12]
    admin = Caller(gateway)
    asked = {"model": "fast", "messages": HI}
    assert caller.ask("POST", "/v1/chat/completions", asked).status_code == 200

    made = make_token(gateway.services.api_tokens, Scope.ADMIN)
    admin.token = made.text
    changed = admin.ask("PATCH", f"/api/v1/tokens/{token_id}", {"aliases": ["digests"]})

    assert changed.status_code == 200, changed.text
    assert caller.ask("POST", "/v1/chat/completions", asked).status_code == 404
