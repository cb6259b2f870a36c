"""A gateway that serves the scripted models, and the clients that are run at it."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from client_venv import PYTHON
from fakes import Upstream, answer_with
from processes import House, Started, open_house
from scripted_models import ScriptedModels

_SETTINGS = """
providers:
  box: {{kind: openai, base_url: {url}/open, api_key: "k-77b1e04d9c"}}
  claude: {{kind: anthropic, base_url: {url}/claude, api_key: "k-3f9a71c0d2"}}
deployments:
  small: {{provider: box, model: scripted-1}}
  haiku: {{provider: claude, model: claude-haiku-4-5}}
  any-open: {{provider: box, model: "*"}}
  any-claude: {{provider: claude, model: "*"}}
routes:
  - {{alias: open, deployments: {{small: 1}}}}
  - {{alias: claude, deployments: {{haiku: 1}}}}
  - {{alias: team/fast, deployments: {{small: 1}}}}
  - {{pattern: "lab/*", deployments: {{any-open: 1}}}}
  - {{pattern: "*@open", deployments: {{any-open: 1}}}}
  - {{pattern: "*@claude", deployments: {{any-claude: 1}}}}
default_route: open
"""


@dataclass(frozen=True)
class Gateway:
    """A running gateway, and what its clients see of the world."""

    house: House
    started: Started
    environ: dict[str, str]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a client to its end."""
        return subprocess.run(
            command,
            cwd=self.house.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=110,
        )

    def faults(self) -> list[dict]:
        """Return the log lines of errors that nobody expected."""
        lines = self.started.events()
        return [line for line in lines if line.get("code") == "INTERNAL_ERROR"]


@contextlib.contextmanager
def open_gateway(folder: Path) -> Iterator[Gateway]:
    """Give a gateway that serves, with its upstream; end both afterwards."""
    with Upstream() as upstream, open_house(folder) as house:
        upstream.always(answer_with(ScriptedModels()))
        house.write_settings(_SETTINGS.format(url=upstream.url))
        token = house.make_token("--scope=chat")
        started, url = house.serve()
        yield Gateway(house, started, _environ(house, url, token))


def _environ(house: House, url: str, token: str) -> dict[str, str]:
    """Return the variables by which each client finds the gateway."""
    bin_folder = str(PYTHON.parent)
    return {
        "PATH": os.pathsep.join((bin_folder, house.environ["PATH"])),
        "HOME": house.environ["HOME"],
        "LANG": house.environ["LANG"],
        "NO_PROXY": "*",
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_KEY": token,
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": token,
    }
