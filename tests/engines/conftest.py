"""A real engine that serves the tiny model, and the gateway in front of it."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from processes import House, free_port, open_house
from requirements import require

HERE = Path(__file__).parent
CONTEXT_TOKENS = 512
ALIAS = "tiny"

SETTINGS = """
providers:
  engine: {{kind: llamacpp, base_url: {url}, models: discover}}
  plain: {{kind: openai_compatible, base_url: {url}}}
deployments:
  measured: {{provider: engine, model: tiny, context_window: {window}}}
  unmeasured: {{provider: engine, model: tiny}}
  plain: {{provider: plain, model: tiny}}
routes:
  - {{alias: measured, deployments: {{measured: 1}}}}
  - {{alias: unmeasured, deployments: {{unmeasured: 1}}}}
  - {{alias: plain, deployments: {{plain: 1}}}}
default_route: measured
"""


@dataclass(frozen=True)
class Gateway:
    """A running gateway: its address, and a header that lets in."""

    url: str
    headers: dict[str, str]

    def post(self, path: str, body: dict, **more) -> requests.Response:
        return requests.post(
            f"{self.url}{path}", json=body, headers=self.headers, timeout=60, **more
        )

    def get(self, path: str) -> requests.Response:
        return requests.get(f"{self.url}{path}", headers=self.headers, timeout=60)


@pytest.fixture(scope="session")
def python() -> str:
    """The interpreter in whose environment the engine is installed."""
    found = os.environ.get("FLASKLLM_TEST_ENGINE")
    if not found:
        require("engine", "no engine: `make test-engines` builds one and runs these")
    return found


@pytest.fixture(scope="session")
def engine_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A folder for the engine and the gateway; both end with the tests."""
    with open_house(tmp_path_factory.mktemp("engine")) as house:
        yield house


@pytest.fixture(scope="session")
def engine(python: str, engine_house: House) -> str:
    """The address of an engine that serves the tiny model, with `/v1`."""
    model = engine_house.folder / "tiny.gguf"
    subprocess.run([python, HERE / "tiny_model.py", model], check=True, timeout=120)
    port = free_port()
    started = engine_house.start(
        [
            *(python, "-m", "llama_cpp.server", "--host", "127.0.0.1"),
            *("--port", str(port), "--model", str(model), "--model_alias", ALIAS),
            *("--n_ctx", str(CONTEXT_TOKENS), "--embedding", "true"),
        ]
    )
    url = f"http://127.0.0.1:{port}/v1"

    def answers() -> bool:
        assert started.process.poll() is None, started.stderr
        with contextlib.suppress(requests.ConnectionError):
            return requests.get(f"{url}/models", timeout=5).ok
        return False

    started.wait_for(answers, 60)
    return url


@pytest.fixture(scope="session")
def gateway(engine: str, engine_house: House) -> Gateway:
    """The real gateway before the real engine."""
    text = SETTINGS.format(url=engine, window=CONTEXT_TOKENS)
    engine_house.write_settings(text)
    token = engine_house.make_token("--scope=chat", "--direct-models")
    _, url = engine_house.serve()
    return Gateway(url, {"Authorization": f"Bearer {token}"})
