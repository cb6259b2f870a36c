"""What the docs tell people to type works as it stands.

Each fenced block says what it is: `sh` is run by bash against a real server,
`python` is run, `yaml` are settings, `json` is JSON, `markdown` is a prompt
template, and `text` is for people only. Nothing else is allowed.
"""

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

import pytest
from doc_blocks import Block, doc_files, find_blocks, read_doc
from processes import House, open_house
from requirements import require
from source_tree import ROOT, project_files

from flaskllm.core.config import load
from flaskllm.llm.prompts import parse_template

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
BLOCKS = [block for name in doc_files() for block in find_blocks(name, read_doc(name))]


@dataclass(frozen=True)
class Place:
    """A copy of the checkout to work in, and a server that answers."""

    folder: Path
    environ: dict[str, str]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
        )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A fresh clone whose `.venv` is ready, beside a gateway without a model."""
    with open_house(tmp_path_factory.mktemp("docs")) as house:
        _, url = house.serve()
        folder = house.folder / "checkout"
        copy_checkout(folder)
        yield Place(folder, environment(house, url))


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
        block: json.loads(after.text) if after and after.info == "json" else None
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


def run_shell(block: Block, place: Place, _folder: Path):
    if "curl" in block.text and shutil.which("curl") is None:
        require("curl", "install curl to run what the docs say")
    shown = documented_replies()[block]
    code = shown["code"] if shown and "error" in shown else None

    done = place.run("bash", "-c", SHELL + block.text)

    assert done.returncode == (CURL_HTTP_ERROR if code else 0), done
    if shown:
        real = json.loads(done.stdout)
        assert has_same_names(shown, real), real
        assert code == real.get("code")


def run_python(block: Block, place: Place, _folder: Path):
    done = place.run(sys.executable, "-c", block.text)

    assert done.returncode == 0, done


def load_settings(block: Block, _place: Place, folder: Path):
    named = set(re.findall(r"\$\{(\w+)", block.text))
    (folder / "flaskllm.yaml").write_text(block.text, "utf-8")

    loaded = load({name: f"{name}-4f1c09ab37d2e865" for name in named}, folder)

    assert set(loaded.origins.values()) != {"default"}


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
    "yaml": load_settings,
    "json": read_json,
    "markdown": read_template,
    "text": show_people,
}


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_is_as_true_as_it_says(block: Block, place: Place, tmp_path: Path):
    assert block.info in CHECKS, f"{block}: one of {', '.join(CHECKS)}"

    CHECKS[block.info](block, place, tmp_path)
