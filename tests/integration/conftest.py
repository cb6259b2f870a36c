"""A gateway in this process, on a real database and a scripted upstream."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from api_tokens import make_token
from fakes import Upstream, chat

from flaskllm.core.auth import Scope
from flaskllm.core.config import load
from flaskllm.factory import create_app
from flaskllm.wiring import build_services

SETTINGS = """
providers:
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  small: {{provider: box, model: scripted-1, context_window: 32000}}
routes:
  - {{alias: scripted, deployments: {{small: 1}}}}
default_route: scripted
"""


class Gateway:
    """The whole application under a test client, with one good API token."""

    def __init__(self, folder: Path, settings: str, environ: Mapping[str, str]):
        (folder / "flaskllm.yaml").write_text(settings)
        self._log = folder / "gateway.log"
        environ = {"FLASKLLM_LOG_FILE": str(self._log), **environ}
        self.loaded = load(environ, folder)
        self.services = build_services(self.loaded)
        self.app = create_app(self.loaded, self.services)
        self.client = self.app.test_client()
        self.token = self.make_token(Scope.WEBHOOK)

    def make_token(self, *scopes: Scope) -> str:
        return make_token(self.services.api_tokens, *scopes).text

    @property
    def log(self) -> str:
        """Return all that this gateway has logged."""
        return self._log.read_text() if self._log.exists() else ""

    def events(self, name: str | None = None) -> list[dict[str, Any]]:
        """Return the log lines of this event, or all of them."""
        lines = map(json.loads, self.log.splitlines())
        return [line for line in lines if name is None or line["event"] == name]

    def post(self, body: Any, media_type: str = "application/json", **query: Any):
        """Return the response of the webhook to one document."""
        data = json.dumps(body) if media_type == "application/json" else body
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": media_type}
        return self.client.post(
            "/api/v1/webhook", data=data, headers=headers, query_string=query
        )


@pytest.fixture
def make_gateway(
    tmp_path: Path, sqlite_template: Path
) -> Iterator[Callable[..., Gateway]]:
    """Makes gateways of a YAML text; an empty one has no model.

    Each has a database file of its own, already migrated.
    """
    made = []

    def make(settings: str = "", environ: Mapping[str, str] | None = None) -> Gateway:
        folder = tmp_path / f"gateway-{len(made)}"
        data = folder / "data"
        data.mkdir(parents=True, mode=0o700)
        shutil.copy(sqlite_template, data / "flaskllm.db")
        made.append(Gateway(folder, settings, environ or {}))
        return made[-1]

    yield make
    for gateway in made:
        gateway.services.workflows.close()
        gateway.services.database.close()


@pytest.fixture
def gateway(make_gateway: Callable[..., Gateway], upstream: Upstream) -> Gateway:
    """A gateway whose only model is the scripted upstream."""
    return make_gateway(SETTINGS.format(url=upstream.url))


@pytest.fixture
def says(upstream: Upstream) -> Callable[..., None]:
    """Lets the upstream answer with these objects, one a request, then the last."""

    def script(*answers: Any) -> None:
        steps = [chat(_text(answer)) for answer in answers]
        upstream.script(*steps[:-1])
        upstream.always(steps[-1])

    return script


def _text(answer: Any) -> str:
    return answer if isinstance(answer, str) else json.dumps(answer)
