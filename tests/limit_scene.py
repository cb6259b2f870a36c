"""A gateway on a clock that stands still, and callers with limits."""

from contextlib import contextmanager
from pathlib import Path

from api_tokens import make_token
from fakes import FakeClock, Upstream

from flaskllm.core.auth import Scope
from flaskllm.core.config import load
from flaskllm.factory import create_app
from flaskllm.wiring import build_services

SETTINGS = """
providers:
  claude: {{kind: anthropic, base_url: {url}, api_key: "a-credential-of-the-upstream"}}
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  haiku: {{provider: claude, model: claude-haiku-4-5}}
  small: {{provider: box, model: scripted-1}}
routes:
  - {{alias: claude, deployments: {{haiku: 1}}}}
  - {{alias: open, deployments: {{small: 1}}}}
default_route: open
limits: {{store: {store}}}
"""


class LimitScene:
    """The gateway, its clock, and one caller at a time."""

    def __init__(self, folder: Path, upstream: Upstream, store: str):
        self.clock = FakeClock()
        settings = SETTINGS.format(url=upstream.url, store=store)
        (folder / "flaskllm.yaml").write_text(settings)
        loaded = load({}, folder)
        self.services = build_services(loaded, self.clock)
        self.app = create_app(loaded, self.services)
        self.client = self.app.test_client()
        self.limited()

    def limited(self, requests: int | None = None, tokens: int | None = None) -> None:
        """Let a new principal with these limits per minute be the caller."""
        made = make_token(
            self.services.api_tokens,
            Scope.CHAT,
            requests_per_minute=requests,
            tokens_per_minute=tokens,
        )
        self.headers = {"Authorization": f"Bearer {made.text}"}

    def get(self, path: str):
        """Return the reply to the caller."""
        return self.client.get(path, headers=self.headers)

    def post(self, path: str, body: dict):
        """Return the whole reply to the caller."""
        return self.client.post(path, json=body, headers=self.headers)


@contextmanager
def limit_scene(folder: Path, upstream: Upstream, store: str):
    """Open a scene, and close its database in the end."""
    scene = LimitScene(folder, upstream, store)
    try:
        yield scene
    finally:
        scene.services.accounts.flush()
        scene.services.database.close()
