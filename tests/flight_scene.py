"""Several gateways before one upstream, and many equal requests at the same time."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import requests
from fakes import Upstream, answer_with, chat, delayed
from processes import House, Started, bearer

SETTINGS = """
log_format: json
server: {{threads: 40}}
{stores}
providers:
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  small: {{provider: box, model: scripted-1, price: {{input: 1, output: 1}}}}
routes:
  - {{alias: kept, deployments: {{small: 1}}, cache_ttl_seconds: 600}}
  - {{alias: flown, deployments: {{small: 1}}, single_flight: true}}
default_route: kept
"""


@dataclass
class Flock:
    """Some gateways that share a store, and the upstream that all of them ask."""

    gateways: list[tuple[Started, str]]
    token: str
    upstream: Upstream

    def ask(self, number: int, question: str, model: str, **more) -> requests.Response:
        """Return what one of the gateways answers."""
        message = {"role": "user", "content": question}
        body = {"model": model, "messages": [message], "temperature": 0, **more}
        _, url = self.gateways[number % len(self.gateways)]
        return requests.post(
            f"{url}/v1/chat/completions",
            json=body,
            headers=bearer(self.token),
            timeout=60,
        )

    def ask_together(self, question: str, model: str, count: int) -> Counter[str]:
        """Ask so often at once, of all gateways in turn; count what was answered."""
        with ThreadPoolExecutor(count) as pool:
            asked = [pool.submit(self.ask, n, question, model) for n in range(count)]
            return Counter(told(each.result()) for each in asked)

    @property
    def asked(self) -> Counter[str]:
        """Return how often the upstream was asked each question."""
        return Counter(question_of(each) for each in self.upstream.requests)


def told(response: requests.Response) -> str:
    """Return the text of an answer."""
    assert response.status_code == 200, response.text
    return response.json()["choices"][0]["message"]["content"]


def question_of(received) -> str:
    """Return the last words that an upstream was asked."""
    return json.loads(received.body)["messages"][-1]["content"]


def open_flock(
    house: House, upstream: Upstream, store_url: str, seconds: float = 0.4
) -> Flock:
    """Start three gateways on one store; the upstream repeats what it is asked.

    `store_url` is that of a database, or of a Redis beside one file; `seconds` is how
    long an answer takes.
    """
    name = "redis_url" if store_url.startswith("redis") else "database_url"
    # Only a gateway of several workers knows that others may be there.
    shared = "cache: {store: database}" if name == "database_url" else ""
    stores = f'{name}: "{store_url}"\n{shared}'
    house.write_settings(SETTINGS.format(stores=stores, url=upstream.url))
    house.environ["FLASKLLM_SECRET"] = "k3R9vQ2mX7bT5wL8nZ4cH6jD1sF0gYpA"
    upstream.always(answer_with(lambda got: delayed(seconds, chat(question_of(got)))))
    token = house.make_token("--scope=chat", "--scope=read", "--scope=admin")
    return Flock([house.serve() for _ in range(3)], token, upstream)
