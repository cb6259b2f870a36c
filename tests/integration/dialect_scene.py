"""A gateway with one upstream that speaks Anthropic's dialect and one OpenAI's."""

import json
from typing import Any

from fakes import Upstream, json_reply
from stream_steps import event

from flaskllm.core.auth import Scope
from flaskllm.core.sse import SSEParser

SETTINGS = """
providers:
  claude: {{kind: anthropic, base_url: {url}, api_key: "{key}"}}
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  haiku: {{provider: claude, model: claude-haiku-4-5}}
  small: {{provider: box, model: scripted-1}}
  tiny: {{provider: box, model: scripted-1, context_window: 100}}
routes:
  - {{alias: claude, deployments: {{haiku: 1}}}}
  - {{alias: open, deployments: {{small: 1}}}}
  - {{alias: tiny, deployments: {{tiny: 1}}}}
  - {{alias: both, deployments: {{small: 1}}, fallbacks: [claude]}}
default_route: open
"""
KEY = "upstream-credential-93af1c77"

MESSAGE = {
    "id": "msg_up",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-4-5-20251001",
    "content": [{"type": "text", "text": "Hi there."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 11, "output_tokens": 4, "service_tier": "standard"},
    "container": None,
}
ASK = {
    "model": "open",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "Hello"}],
}


def settings(upstream: Upstream) -> str:
    """Return the settings above, for this upstream."""
    return SETTINGS.format(url=upstream.url, key=KEY)


class Caller:
    """Somebody with an API token for chat."""

    def __init__(self, gateway: Any):
        self.gateway = gateway
        self.token = gateway.make_token(Scope.CHAT)

    def open(self, method: str, path: str, body: Any = None, **headers: str):
        """Return the response; names of headers are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named = {"Authorization": f"Bearer {self.token}"} | named
        return self.gateway.client.open(path, method=method, json=body, headers=named)

    def post(self, path: str, body: Any, **headers: str):
        return self.open("POST", path, body, **headers)

    def ask(self, headers=(), **fields: Any):
        """Return the response of `/v1/messages`."""
        return self.post("/v1/messages", ASK | fields, **dict(headers))

    def respond(self, **fields: Any):
        """Return the response of `/v1/responses`."""
        body = {"model": "open", "input": "Hello"} | fields
        return self.post("/v1/responses", body)


def events_in(response: Any) -> list[dict[str, Any]]:
    """Return the data of every event; each is named as its type is."""
    found = SSEParser().feed(response.data)
    events = [json.loads(each.data) for each in found]
    assert [each.name for each in found] == [each["type"] for each in events]
    return events


def message(**fields: Any):
    """Answer with a whole message of Anthropic's."""
    return json_reply(MESSAGE | fields)


def claude_events(*texts: str) -> list[bytes]:
    """Return the events of a message in Anthropic's dialect, a delta a text."""
    start = {**MESSAGE, "content": [], "stop_reason": None}
    block = {"type": "text", "text": ""}
    deltas = [{"type": "text_delta", "text": text} for text in texts]
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    events = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "ping"},
        *({"type": "content_block_delta", "index": 0, "delta": d} for d in deltas),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": end, "usage": {"output_tokens": 4}},
        {"type": "message_stop"},
    ]
    return [event(each, str(each["type"])) for each in events]


def chat_message(finish_reason: str = "stop", **said: Any):
    """Answer with a chat completion whose message says this."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": None, **said},
        "finish_reason": finish_reason,
    }
    usage = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
    return json_reply({"model": "fake-model-1", "choices": [choice], "usage": usage})
