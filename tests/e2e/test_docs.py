"""What the docs tell people to type works as it stands.

Each fenced block says what it is: `sh` is run by bash against a real server that
has the models of `doc_models`, `python` and `javascript` are run, `yaml` are settings
that `flaskllm config check` accepts and a gateway starts with, `json` is JSON,
`markdown` is a prompt template, and `text` is for people only. Nothing else is
allowed. Python that imports a vendor's client runs where the clients are installed,
and JavaScript by the Node that comes with them.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from click.testing import CliRunner
from client_venv import NODE, client_python, uses_a_client
from doc_blocks import Block, doc_files, find_blocks, read_doc
from doc_models import SETTINGS, answer
from fakes import Upstream, answer_with
from mail_sender_scene import der, policy_key
from processes import House, open_house
from requirements import require
from source_tree import ROOT, project_files

from flaskllm.cli import cli
from flaskllm.core.clock import SystemClock
from flaskllm.core.config import load
from flaskllm.llm.prompts import parse_template
from flaskllm.wiring.models import build_models

CURL_HTTP_ERROR = 22
# The targets of make are run by CI itself: here it counts that they exist. curl
# takes an error for a failure and shows its body. The address and the
# API token are variables of the shell alone, as the quickstart sets them.
SHELL = """\
set -euo pipefail
declare +x URL TOKEN
make() { command make --dry-run "$@" > /dev/null; }
curl() { command curl --silent --show-error --fail-with-body --noproxy '*' "$@"; }
"""
# Secrets that have a form of their own; any word will do for the others.
SECRETS = {
    "FATHOM_SECRET": "whsec_4f1c09ab37d2e865a03d4f1c09ab37d2",
    "SENDGRID_PUBLIC_KEY": der(policy_key()),
}
BLOCKS = [block for name in doc_files() for block in find_blocks(name, read_doc(name))]


@dataclass(frozen=True)
class Place:
    """A copy of the checkout to work in, and a server that answers."""

    folder: Path
    environ: dict[str, str]

    def run(
        self, *command: str, folder: Path | None = None, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, in the checkout or in another folder."""
        return subprocess.run(
            command,
            cwd=folder or self.folder,
            env=self.environ | environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
        )


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Place]:
    """A fresh clone whose `.venv` is ready, beside a gateway with models."""
    with Upstream() as upstream, open_house(tmp_path_factory.mktemp("docs")) as house:
        upstream.always(answer_with(answer))
        house.write_settings(SETTINGS.format(url=upstream.url))
        house.accept_jobs(worker=True)
        # Whoever cancels a job is nearly always faster than who looks for one.
        house.environ["FLASKLLM_JOBS__POLL_SECONDS"] = "5"
        _, url = house.serve()
        folder = house.folder / "checkout"
        copy_checkout(folder)
        environ = environment(house, url)
        if shutil.which("redis-server"):
            server = request.getfixturevalue("redis_server")
            environ["FLASKLLM_REDIS_URL"] = server.url(2)
        yield Place(folder, environ)


def environment(house: House, url: str) -> dict[str, str]:
    """Return the variables that a reader of the docs has."""
    return house.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{house.environ['PATH']}",
        "URL": url,
        "TOKEN": house.make_token("--scope=admin"),
    }


def copy_checkout(folder: Path) -> None:
    """Put into `folder` what a clone holds."""
    for name in project_files():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    (folder / ".venv").symlink_to(sys.prefix)


def documented_replies() -> dict[Block, Any]:
    """Return for each shell block the JSON that the next block shows, else None."""
    return {
        block: json.loads(after.text)
        if after and (after.path, after.info) == (block.path, "json")
        else None
        for block, after in zip_longest(BLOCKS, BLOCKS[1:])
        if block.info == "sh"
    }


def has_same_names(shown: Any, real: Any) -> bool:
    """Tell whether two objects have the same names, on every level they share.

    What one of them lacks (null, an empty list) says nothing about the other.
    """
    if isinstance(shown, list) and isinstance(real, list):
        return all(map(has_same_names, shown, real))
    if not (isinstance(shown, dict) and isinstance(real, dict)):
        return True
    same = shown.keys() == real.keys()
    return same and all(has_same_names(shown[name], real[name]) for name in shown)


def code_of(body: Any) -> str | None:
    """Return the code of an error, in our form or in a vendor's; None for an answer."""
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        return error.get("code") or error["type"]
    return body["code"] if error else None


def run_shell(block: Block, place: Place, _folder: Path):
    if "curl" in block.text and shutil.which("curl") is None:
        require("curl", "install curl to run what the docs say")
    if "doctor redis" in block.text and "FLASKLLM_REDIS_URL" not in place.environ:
        require("redis", "install redis-server to run what the docs say")
    shown = documented_replies()[block]
    code = code_of(shown)

    done = place.run("bash", "-c", SHELL + block.text)

    assert done.returncode == (CURL_HTTP_ERROR if code else 0), done
    if shown:
        real = json.loads(done.stdout)
        assert has_same_names(shown, real), real
        assert code == code_of(real)


def run_python(block: Block, place: Place, _folder: Path):
    has_client = uses_a_client(block.text)
    python = str(client_python()) if has_client else sys.executable

    done = place.run(python, "-c", block.text)

    assert done.returncode == 0, done


def run_javascript(block: Block, place: Place, _folder: Path):
    client_python()  # Node comes with the clients

    done = place.run(str(NODE), "--input-type=module", "--eval", block.text)

    assert done.returncode == 0, done


def load_settings(block: Block, place: Place, folder: Path):
    named = set(re.findall(r"\$\{(\w+)", block.text))
    variables = {
        name: SECRETS.get(name, f"{name}-4f1c09ab37d2e865a03d") for name in named
    }
    settings = folder / "flaskllm.yaml"
    settings.write_text(block.text, "utf-8")
    environ = {**place.environ, **variables, "FLASKLLM_CONFIG": str(settings)}

    # In this process: every page shows settings, and a new one takes a second.
    with mock.patch.dict(os.environ, environ, clear=True), contextlib.chdir(folder):
        done = CliRunner().invoke(cli, ["config", "check"])

    assert done.exit_code == 0, done.output
    loaded = load(variables, folder)
    assert set(loaded.origins.values()) != {"default"}
    build_models(loaded.settings, SystemClock()).close()


def read_json(block: Block, _place: Place, _folder: Path):
    def refuse(name: str):
        raise ValueError(f"{name} is not JSON")

    json.loads(block.text, parse_constant=refuse)


def read_template(block: Block, _place: Place, _folder: Path):
    parse_template(block.text, str(block))


def show_people(_block: Block, _place: Place, _folder: Path):
    """Do nothing: it is no command."""


CHECKS = {
    "sh": run_shell,
    "python": run_python,
    "javascript": run_javascript,
    "yaml": load_settings,
    "json": read_json,
    "markdown": read_template,
    "text": show_people,
}


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_is_as_true_as_it_says(block: Block, place: Place, tmp_path: Path):
    assert block.info in CHECKS, f"{block}: one of {', '.join(CHECKS)}"

    CHECKS[block.info](block, place, tmp_path)
