"""A gateway with four routes, whose state is looked at over HTTP."""

from flaskllm.core.auth import Scope

SECRET = "sk-abcdefghijklmnopqrstuv"
SETTINGS = """
providers:
  box: {{kind: openai_compatible, base_url: {url}, api_key: {secret}}}
  far: {{kind: vllm, base_url: "http://127.0.0.1:9/v1", models: discover}}
deployments:
  small:
    provider: box
    model: scripted-1
    context_window: 32000
    max_output_tokens: 1000
    capabilities: [json]
    price: {{input: 1, output: 2.5}}
    tags: [cheap]
  other: {{provider: box, model: scripted-2}}
  last: {{provider: far, model: m-1}}
  plain: {{provider: own, model: extractive}}
routes:
  - alias: fast
    strategy: cheapest
    deployments: {{other: 1, small: 3}}
    fallbacks: [behind]
  - {{alias: behind, deployments: {{last: 1}}, rescue: "off"}}
  - {{pattern: "qwen*", deployments: {{small: 1}}, require_price: true}}
  - {{capability: code, deployments: {{other: 1}}}}
default_route: fast
"""


def settings(url):
    """Return settings whose provider `box` listens there; `own` is local."""
    text = SETTINGS.format(url=url, secret=SECRET)
    return text.replace("providers:\n", "providers:\n  own: {kind: extractive}\n", 1)


def caller(gateway):
    """Return what sends a request with an API token of a scope.

    It returns the status and the JSON.
    """
    tokens = {scope: gateway.make_token(scope) for scope in Scope}

    def send(method, path, body=None, scope=Scope.ADMIN, **options):
        headers = {"Authorization": f"Bearer {tokens[scope]}"}
        if body is not None:
            options["json"] = body
        reply = gateway.client.open(
            f"/api/v1{path}", method=method, headers=headers, **options
        )
        return reply.status_code, reply.get_json()

    return send
