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
  locked-box: {{kind: openai, base_url: {url}/open, api_key: "k-aa0c5d9e61"}}
  locked-claude: {{kind: anthropic, base_url: {url}/claude, api_key: "k-51fe08b7c3"}}
deployments:
  small: {{provider: box, model: scripted-1}}
  haiku: {{provider: claude, model: claude-haiku-4-5}}
  torn-box: {{provider: box, model: torn-1}}
  torn-haiku: {{provider: claude, model: torn-2}}
  any-open: {{provider: box, model: "*"}}
  any-claude: {{provider: claude, model: "*"}}
{apart_deployments}
routes:
  - {{alias: open, deployments: {{small: 1}}}}
  - {{alias: claude, deployments: {{haiku: 1}}}}
  - {{alias: torn-open, deployments: {{torn-box: 1}}, fallbacks: [claude]}}
  - {{alias: torn-claude, deployments: {{torn-haiku: 1}}, fallbacks: [open]}}
  - {{alias: team/fast, deployments: {{small: 1}}}}
  - {{pattern: "lab/*", deployments: {{any-open: 1}}}}
{apart_routes}
  - {{pattern: "*@open", deployments: {{any-open: 1}}}}
  - {{pattern: "*@claude", deployments: {{any-claude: 1}}}}
default_route: open
"""

# The gateway asks nobody into a known limit, nor with a credential that was refused:
# what one check brings about must not meet the next. So these are apart, with the
# provider of each.
_APART = {
    "locked@open": "locked-box",
    "locked@claude": "locked-claude",
    **{f"limited-{number}@open": "box" for number in (1, 2, 3, 9, 10)},
    **{f"limited-{number}@claude": "claude" for number in (3, 4)},
}


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
        house.write_settings(_settings(upstream.url))
        token = house.make_token("--scope=chat")
        started, url = house.serve()
        yield Gateway(house, started, _environ(house, url, token))


def _settings(url: str) -> str:
    deployments = [
        f'  {name}: {{provider: {provider}, model: "*"}}'
        for name, provider in _APART.items()
    ]
    routes = [
        f'  - {{pattern: "{name}", deployments: {{{name}: 1}}}}' for name in _APART
    ]
    return _SETTINGS.format(
        url=url,
        apart_deployments="\n".join(deployments),
        apart_routes="\n".join(routes),
    )


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
