"""A gateway whose routes keep answers, before one upstream, and a caller of it."""

import json

from fakes import Reply, answer_with, chat, json_reply

from flaskllm.core.auth import Scope

SETTINGS = """
cache: {{store: {store}}}
providers:
  box: {{kind: openai_compatible, base_url: {url}}}
  spare: {{kind: openai_compatible, base_url: {url}}}
  claude: {{kind: anthropic, base_url: {url}, api_key: sk-ant-test}}
deployments:
  small: {{provider: box, model: scripted-1, price: {{input: 1, output: 2}}}}
  other: {{provider: spare, model: scripted-2}}
  haiku: {{provider: claude, model: claude-haiku-4-5}}
routes:
  - {{alias: kept, deployments: {{small: 1}}, cache_ttl_seconds: 60}}
  - {{alias: warm, deployments: {{small: 1}}, cache_ttl_seconds: 60,
     cache_any_temperature: true, cache_shared: true}}
  - {{alias: plain, deployments: {{other: 1}}}}
  - {{alias: claude, deployments: {{haiku: 1}}, cache_ttl_seconds: 60}}
  - {{alias: safe, deployments: {{small: 1}}, cache_ttl_seconds: 60,
     fallbacks: [plain]}}
default_route: kept
"""
CHAT = "/v1/chat/completions"
ASKED = {
    "model": "kept",
    "messages": [{"role": "user", "content": "Hi"}],
    "temperature": 0,
}
MESSAGES = ASKED | {"model": "claude", "max_tokens": 50}
CHUNKS = [
    {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hel"}}]},
    {"choices": [{"index": 0, "delta": {"content": "lo"}}]},
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    {"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 5}},
]
SIGNED = {
    "id": "msg_up",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-4-5",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "sig=="},
        {"type": "text", "text": "Hello"},
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"a": 1}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 12, "output_tokens": 5},
}


def answer(received):
    """Answer as either upstream does, streamed where that was asked for."""
    body = json.loads(received.body)
    if "embeddings" in received.path:
        vectors = [{"index": n, "embedding": [0.5, n]} for n, _ in enumerate(["x"])]
        return json_reply({"data": vectors, "model": "e", "usage": {}})
    if "messages" in received.path:
        return json_reply(SIGNED)
    if not body.get("stream"):
        return chat("Hello there")
    head = {"id": "up", "object": "chat.completion.chunk", "model": "up-1"}
    events = [f"data: {json.dumps(head | each)}\n\n" for each in CHUNKS]
    text = "".join(events) + "data: [DONE]\n\n"
    return Reply(200, {"Content-Type": "text/event-stream"}, text.encode())


class Client:
    """A caller of a gateway with one API token."""

    def __init__(self, gateway, upstream):
        self.gateway, self.upstream = gateway, upstream
        self.scopes = (Scope.CHAT, Scope.READ, Scope.ADMIN, Scope.WEBHOOK)
        self.token = gateway.make_token(*self.scopes)

    def post(self, path=CHAT, body=ASKED, token=None, **headers):
        bearer = {"Authorization": f"Bearer {token or self.token}"}
        return self.gateway.client.post(path, json=body, headers=bearer | headers)

    def get(self, path):
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.gateway.client.get(path, headers=headers)

    def clear(self, query=""):
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.gateway.client.delete(f"/api/v1/cache{query}", headers=headers)

    @property
    def calls(self):
        return len(self.upstream.requests)


def open_client(make_gateway, upstream, store):
    """Return a caller of a gateway that keeps answers in this store."""
    upstream.always(answer_with(answer))
    return Client(
        make_gateway(SETTINGS.format(store=store, url=upstream.url)), upstream
    )


def cached(response):
    """Return what the gateway says of its cache."""
    assert response.status_code == 200, response.get_data()
    return response.headers.get("X-Flaskllm-Cache")
