"""A name server that fails, in a network of the test's own.

How long a name server may be silent is for the system's resolver to say
(`options timeout` in resolv.conf): here a second.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from requirements import require

SCENE = Path(__file__).with_name("name_scene.py")
RESOLVER = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"
INSIDE = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'


def enter(*command: str) -> list[str]:
    """Return the command that runs another one in namespaces of its own."""
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", "--mount", "--net", *as_root, *command]


@pytest.fixture(scope="module")
def resolver(tmp_path_factory) -> Path:
    """The settings of the resolver; a machine without namespaces skips."""
    path = tmp_path_factory.mktemp("names") / "resolv.conf"
    path.write_text(RESOLVER)
    try:
        trial = subprocess.run(
            enter("sh", "-c", INSIDE, "sh", str(path), "true"), capture_output=True
        )
    except FileNotFoundError:
        require("namespaces", "unshare is missing")
    if trial.returncode:
        require("namespaces", f"no namespaces here: {trial.stderr.decode()}")
    return path


@pytest.mark.parametrize("fault", ["nxdomain", "servfail", "silence"])
def test_a_name_that_is_not_found_is_like_a_refused_connection(resolver, fault):
    paths = [str(SCENE.parents[1]), *filter(None, sys.path)]
    played = subprocess.run(
        enter(
            "sh", "-c", INSIDE, "sh", str(resolver), sys.executable, str(SCENE), fault
        ),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        timeout=60,
    )

    assert played.returncode == 0, played.stderr.decode()
    record = json.loads(played.stdout)
    assert record["names"] == ["upstream.test"]
    assert record["text"] == "From the spare."
    assert record["codes"] == ["LLM_UNAVAILABLE", "OK"]
    assert record["spare"] == 1
    assert record["seconds"] < 5.0
