"""The models of the gateway that the docs talk to: they say the same each time."""

from fakes import Received, Step, chat, json_reply
from stream_steps import sse, tokens

ANSWER = ("A gateway", " is one door", " in front of many services.")
SETTINGS = """
providers:
  openai: {{kind: openai, base_url: {url}/v1, api_key: sk-docs-4f1c09ab37d2e865}}
deployments:
  mini: {{provider: openai, model: gpt-4o-mini}}
  vectors: {{provider: openai, model: text-embedding-3-small}}
routes:
  - {{alias: fast, deployments: {{mini: 1}}}}
  - {{alias: local, deployments: {{mini: 1}}}}
  - {{alias: vectors, deployments: {{vectors: 1}}}}
default_route: offline
"""
"""What a reader has set up who went through the docs; digests need no model."""


def answer(request: Received) -> Step:
    """Return the answer to a chat, whole or streamed, to texts, or the models."""
    if request.method == "GET":  # an idle upstream is asked for its models
        return json_reply({"object": "list", "data": []})
    asked = request.json
    if request.path.endswith("/embeddings"):
        return _vectors(asked)
    if asked.get("stream"):
        return sse(tokens(*ANSWER, model=asked["model"]))
    return chat("".join(ANSWER), model=asked["model"])


def _vectors(asked: dict) -> Step:
    inputs = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
    data = [
        {"object": "embedding", "index": index, "embedding": [0.6, 0.8]}
        for index, _ in enumerate(inputs)
    ]
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    model = asked["model"]
    return json_reply({"object": "list", "data": data, "model": model, "usage": usage})
