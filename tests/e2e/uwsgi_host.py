"""uWSGI as PythonAnywhere runs it: one process at a time, and no threads."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from processes import CHECKOUT, House, Started, free_port

SYSTEM_PYTHON = Path("/usr/bin/python3")
PLUGINS = Path("/usr/lib/uwsgi/plugins")
INSTALL = "sudo apt-get install uwsgi-core uwsgi-plugin-python3 python3-venv"

_VENV = CHECKOUT / ".venv-uwsgi"
_LOCK = CHECKOUT / "requirements.lock"


def missing() -> str:
    """Return what this machine lacks to run uWSGI, or an empty text."""
    if shutil.which("uwsgi") is None or not list(PLUGINS.glob("python3*_plugin.so")):
        return f"uWSGI or its plugin is not there: {INSTALL}"
    probe = [str(SYSTEM_PYTHON), "-c", "import venv, ensurepip"]
    if subprocess.run(probe, capture_output=True).returncode:
        return f"the distribution's python3 has no venv: {INSTALL}"
    return ""


def prepare_venv() -> Path:
    """Return a virtual environment of the distribution's Python, made once.

    uWSGI's plugin is linked to that Python. The packages are the tests' own where
    those are for the same version, and else installed from `requirements.lock`; tests
    that run beside each other take turns.
    """
    _VENV.mkdir(exist_ok=True)
    with (_VENV / "turn.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        _install_unless_current(_VENV / "installed.sha256")
    return _VENV


def serve_uwsgi(
    house: House,
    entry: Sequence[str] = ("--module", "wsgi:application"),
    *,
    is_installed: bool = True,
    ready_at: str = "/api/v1/health/ready",
    **environ: str,
) -> tuple[Started, str]:
    """Start uWSGI in a house and return it, answering, with its address.

    `is_installed` puts the checkout on Python's path, as `pip install` would;
    `ready_at` is what answers once it has started.
    """
    port = free_port()
    command = [
        "uwsgi",
        *("--plugins-dir", str(PLUGINS), "--plugin", "python3"),
        *("--virtualenv", str(_VENV)),
        *(("--pythonpath", str(CHECKOUT)) if is_installed else ()),
        *("--http-socket", f"127.0.0.1:{port}"),
        *("--master", "--processes", "1", "--die-on-term", "--need-app"),
        *entry,
    ]
    started = house.start(command, **environ)
    url = f"http://127.0.0.1:{port}"
    started.wait_until_ready(url, ready_at)
    return started, url


def _install_unless_current(stamp: Path) -> None:
    wanted = hashlib.sha256(_LOCK.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    python = _VENV / "bin" / "python"
    make = [str(SYSTEM_PYTHON), "-m", "venv", "--without-pip", str(_VENV)]
    subprocess.run(make, check=True)
    if _kind_of(python) == _kind_of(Path(sys.executable)):
        _lend_packages()
    # What is lent is there already; what only that Python needs is not.
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--quiet"]
    install = ["install", "--disable-pip-version-check", "--require-hashes"]
    subprocess.run([*pip, *install, "-r", str(_LOCK)], check=True)
    stamp.write_text(wanted)


def _lend_packages() -> None:
    """Put our packages on its path; not the checkout, which their folder names too."""
    (site,) = _VENV.glob("lib/python3*/site-packages")
    (site / "lent.pth").write_text(sysconfig.get_path("purelib"))


def _kind_of(python: Path) -> str:
    """Return what the packages that are made for this Python have in their names."""
    ask = "import sys; print(sys.implementation.cache_tag)"
    command = [str(python), "-c", ask]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
