"""A running gateway, and what its callers and its records say."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from fault_records import Called
from hosts import usage_rows
from processes import House, Started, bearer
from prometheus_client.parser import text_string_to_metric_families

NOTHING: Mapping[str, Any] = {}
QUESTION = "When is the launch?"
_ROWS_SECONDS = 5.0  # the usage is written behind the answer


@dataclass(frozen=True)
class Gateway:
    """A gateway and an API token for it."""

    house: House
    started: Started
    url: str
    token: str

    def call(
        self,
        model: str,
        request_id: str | None = None,
        session: requests.Session | None = None,
        prompt: str = QUESTION,
        **fields: Any,
    ) -> Called:
        """Return what a caller gets; fields go into the body of the request."""
        ours = {"X-Request-ID": request_id} if request_id else {}
        asked_at = time.monotonic()
        with (session or requests).post(
            f"{self.url}/v1/chat/completions",
            json={
                "model": model,
                "messages": [{"role": "user", "content": prompt}],
                **fields,
            },
            headers={**bearer(self.token), **ours},
            timeout=150,
        ) as reply:
            body = reply.content.decode()
        headers = {name.lower(): value for name, value in reply.headers.items()}
        seconds = time.monotonic() - asked_at
        return Called(asked_at, seconds, reply.status_code, headers, body)

    def stream(self, model: str, request_id: str | None = None) -> Called:
        """Return what a caller gets who asks for a stream with its usage."""
        return self.call(
            model, request_id, stream=True, stream_options={"include_usage": True}
        )

    def hold_breaker_closed(self, deployment: str) -> None:
        """Let all requests through to it, as an operator may decide."""
        reply = requests.put(
            f"{self.url}/api/v1/health/providers/{deployment}",
            json={"state": "closed"},
            headers=bearer(self.token),
            timeout=10,
        )
        assert reply.status_code == 200, reply.text

    def rows(self, prefix: str, count: int) -> tuple[Mapping[str, Any], ...]:
        """Return the usage rows of these requests, by request and attempt.

        It waits until there are so many of them, or time is up.
        """
        give_up_at = time.monotonic() + _ROWS_SECONDS
        while True:
            rows = usage_rows(self.house)
            found = [row for row in rows if str(row["request_id"]).startswith(prefix)]
            if len(found) >= count or time.monotonic() > give_up_at:
                return tuple(
                    sorted(found, key=lambda row: (row["request_id"], row["attempt"]))
                )
            time.sleep(0.05)

    def metrics(self, *deployments: str) -> Mapping[str, float]:
        """Return what was counted for deployments, by its name and labels."""
        text = requests.get(f"{self.url}/metrics", timeout=10).text
        return {
            f"{sample.name}{{{_shown(sample.labels)}}}": sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.labels.get("deployment") in deployments
        }


def settings_of(
    urls: Mapping[str, str],
    fallbacks: Mapping[str, Sequence[str]] = NOTHING,
    deployments: Mapping[str, Mapping[str, Any]] = NOTHING,
    **more: Any,
) -> str:
    """Return settings in which each name is a provider, a deployment and an alias.

    Everything else stands at its default. JSON is YAML too.

    Args:
        urls: The address of each.
        fallbacks: The aliases to go on with.
        deployments: What is set of a deployment besides.
        more: Whole sections besides.
    """
    told = {
        "providers": {
            name: {"kind": "openai_compatible", "base_url": url}
            for name, url in urls.items()
        },
        "deployments": {
            name: {"provider": name, "model": name, **deployments.get(name, {})}
            for name in urls
        },
        "routes": [
            {
                "alias": name,
                "deployments": {name: 1},
                "fallbacks": list(fallbacks.get(name, ())),
            }
            for name in urls
        ],
        **more,
    }
    return json.dumps(told, indent=1)


@contextmanager
def serving(house: House, settings: str, *options: str) -> Iterator[Gateway]:
    """Lend a gateway with these settings; the house ends it."""
    house.write_settings(settings)
    started, url = house.serve()
    yield Gateway(
        house, started, url, house.make_token(*(options or ("--scope=chat",)))
    )


def _shown(labels: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
