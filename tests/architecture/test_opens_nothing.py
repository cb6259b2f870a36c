"""Importing the package and making the application opens nothing."""

import json
import subprocess
import sys

import pytest

# Runs in a process of its own. Python tells its audit hooks of every file,
# socket and process that is opened; a socket that is only bound is urllib3's
# look whether the machine has IPv6.
PROBE = """
import json, pkgutil, sys, threading

opened = []

def watch(event, args):
    writes = event == "open" and set(str(args[1])) & set("wax+")
    if writes or event in {
        "socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.listen",
        "sqlite3.connect", "subprocess.Popen", "os.fork", "os.mkdir",
    }:
        opened.append(f"{event} {args}")

def threads_that_stay():
    others = [each for each in threading.enumerate() if each.name != "MainThread"]
    for each in others:
        each.join(1)
    return [each.name for each in others if each.is_alive()]

sys.addaudithook(watch)
CODE
print(json.dumps({
    "opened": opened,
    "threads": threads_that_stay(),
    "modules": sorted(sys.modules),
}))
"""
EVERY_MODULE = """
import flaskllm
for found in pkgutil.walk_packages(flaskllm.__path__, "flaskllm."):
    if not found.name.endswith(("__main__", ".env")):
        __import__(found.name)
"""
APPLICATION = """
from flaskllm import create_app
create_app()
"""


@pytest.fixture
def probe(tmp_path):
    """Run some code in an empty folder and tell what it opened and loaded."""

    def run(code, **environ):
        done = subprocess.run(
            [sys.executable, "-B", "-c", PROBE.replace("CODE", code)],
            cwd=tmp_path,
            env={"HOME": str(tmp_path), **environ},
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize(
    "code", [EVERY_MODULE, APPLICATION], ids=["every module", "the application"]
)
def test_nothing_is_opened(probe, tmp_path, code):
    found = probe(code)

    assert found["opened"] == []
    assert found["threads"] == []
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_opened_with_models_files_and_logs_configured(probe, tmp_path):
    found = probe(
        APPLICATION,
        FLASKLLM_DATA_DIR="kept/data",
        FLASKLLM_LOG_FILE="kept/log",
        FLASKLLM_DATABASE_URL="sqlite:///kept/db",
        OPENAI_API_KEY="not-a-credential-9f2c41d07ab6",
    )

    assert found["opened"] == []
    assert list(tmp_path.iterdir()) == []


def test_what_opens_something_is_noticed(probe):
    found = probe(
        "import socket, threading, time\n"
        "open('f', 'w').close()\n"
        "socket.socket().connect_ex(('127.0.0.1', 1))\n"
        "threading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n"
    )

    assert [each.split()[0] for each in found["opened"]] == ["open", "socket.connect"]
    assert len(found["threads"]) == 1


def test_the_package_alone_loads_no_web_framework(probe):
    found = probe("import flaskllm")

    assert not {"flask", "werkzeug", "requests", "sqlalchemy"} & set(found["modules"])


def test_the_rooms_below_the_faces_load_no_web_framework(probe):
    found = probe("import flaskllm.services, flaskllm.inputs, flaskllm.storage.tables")

    assert not {"flask", "werkzeug", "flask_limiter"} & set(found["modules"])


@pytest.mark.parametrize("heavy", ["alembic", "numpy", "py3langid", "babel"])
def test_what_is_heavy_waits_until_it_is_needed(probe, heavy):
    assert heavy not in probe(APPLICATION)["modules"]
