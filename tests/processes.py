"""Real processes for tests: started in a folder of their own, watched, ended."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import requests
import zygote
from click.testing import CliRunner

from flaskllm.cli.tokens import tokens
from flaskllm.core.config import load
from flaskllm.wiring import build_services

CHECKOUT = Path(__file__).parents[1]
FLASKLLM = (sys.executable, "-m", "flaskllm")
GUNICORN = (sys.executable, "-m", "gunicorn")
START_SECONDS = 60.0
STOP_SECONDS = 20.0

SCRIPTED = """
providers:
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  small: {{provider: box, model: scripted-1, context_window: 32000}}
routes:
  - {{alias: scripted, deployments: {{small: 1}}}}
default_route: scripted
"""
"""Settings whose only model is the upstream at `url`."""


class Started:
    """A running process, and what it has written so far."""

    def __init__(
        self,
        command: Sequence[str],
        outputs: Path,
        environ: Mapping,
        cwd: Path,
        stdin: str = os.devnull,
    ):
        self._output = outputs / f"{time.monotonic_ns()}"
        is_ours = tuple(command[: len(FLASKLLM)]) == FLASKLLM
        begin = self._fork if is_ours and zygote.takes(environ) else self._execute
        self.process = begin(command, environ, cwd, stdin)

    def _fork(self, command, environ, cwd, stdin) -> zygote.Forked:
        for name in ("stdout", "stderr"):
            self._open(name).close()
        return zygote.fork(
            zygote.Order(
                command[len(FLASKLLM) :],
                dict(environ),
                str(cwd),
                stdin,
                *(f"{self._output}.{name}" for name in ("stdout", "stderr", "status")),
            )
        )

    def _execute(self, command, environ, cwd, stdin) -> subprocess.Popen:
        with (
            open(stdin, "rb") as given,
            self._open("stdout") as stdout,
            self._open("stderr") as stderr,
        ):
            return subprocess.Popen(
                command,
                cwd=cwd,
                env=environ,
                stdin=given,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )

    def read(self, name: str) -> bytes:
        """Return what it has written to `stdout` or to `stderr`."""
        return self._output.with_suffix(f".{name}").read_bytes()

    @property
    def stdout(self) -> str:
        return self.read("stdout").decode()

    @property
    def stderr(self) -> str:
        return self.read("stderr").decode()

    def events(self, name: str | None = None) -> list[dict]:
        """Return the log lines of this event, or all of them."""
        lines = [line for line in self.stderr.splitlines() if line.startswith("{")]
        found = map(json.loads, lines)
        return [line for line in found if name is None or line["event"] == name]

    def wait_for(self, condition: Callable[[], object], seconds: float = 10.0) -> None:
        """Return when the condition holds, and not before."""
        give_up_at = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > give_up_at:
                raise AssertionError(f"it did not happen; stderr:\n{self.stderr}")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.05)

    def wait_until_ready(self, url: str, at: str = "/api/v1/health/ready") -> None:
        """Return when the server answers there; fail when the process ends before.

        A refusal is an answer too: the probe's host may not be a trusted one.
        """

        def answers() -> bool:
            assert self.process.poll() is None, self.stderr
            try:
                probe = requests.get(f"{url}{at}", timeout=5)
            except (requests.ConnectionError, requests.Timeout):
                return False
            return probe.status_code < 500

        self.wait_for(answers, START_SECONDS)

    def workers(self) -> list[int]:
        """Return the process ids of its children."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(child) for child in children.split()]

    def wait(self) -> int:
        """Return the exit status once it has ended by itself."""
        return self.process.wait(START_SECONDS)

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Ask it to end, and return its exit status."""
        self.process.send_signal(how)
        return self.process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """End it and all its children, without asking."""
        with contextlib.suppress(ProcessLookupError):  # all of them have ended
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(STOP_SECONDS)

    def _open(self, name: str):
        return self._output.with_suffix(f".{name}").open("wb")


class House:
    """A folder of settings and data, and the processes that live in it.

    `environ` is all that a process gets to see: nothing of the tests' own
    environment but the path of programs.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "FLASKLLM_DATA_DIR": str(folder / "data"),
            # Their library takes a second of every server: tests of jobs ask for it.
            "FLASKLLM_JOBS__ENABLED": "false",
        }
        self._started: list[Started] = []
        self._outputs = folder.with_name(f"{folder.name}-told")
        self._outputs.mkdir()

    @property
    def data(self) -> Path:
        return Path(self.environ["FLASKLLM_DATA_DIR"])

    def accept_jobs(self, *, worker: bool = False) -> None:
        """Accept jobs from now on, with a worker beside every server or without."""
        told = {"ENABLED": True, "WORKER": worker}
        self.environ |= {
            f"FLASKLLM_JOBS__{name}": f"{is_on}".lower() for name, is_on in told.items()
        }

    def write_settings(self, text: str, name: str = "flaskllm.yaml") -> Path:
        """Put the settings where processes find them."""
        path = self.folder / name
        path.write_text(text)
        self.environ["FLASKLLM_CONFIG"] = str(path)
        return path

    def run(
        self, *arguments: str, stdin: bytes = b"", **environ: str
    ) -> subprocess.CompletedProcess:
        """Run `flaskllm` with these arguments to its end."""
        given = self._outputs / f"{time.monotonic_ns()}.stdin"
        given.write_bytes(stdin)
        command, everything = [*FLASKLLM, *arguments], self.environ | environ
        ran = Started(command, self._outputs, everything, self.folder, str(given))
        self._started.append(ran)
        status = ran.process.wait(60)
        told = [ran.read(name) for name in ("stdout", "stderr")]
        return subprocess.CompletedProcess(command, status, *told)

    def make_token(self, *options: str) -> str:
        """Return a fresh API token of the scope `webhook`, or of the options.

        As the command makes it, in this process: it need not start for each test.
        """
        services = build_services(load(self.environ, self.folder))
        arguments = ["create", "test", *(options or ("--scope=webhook",))]
        try:
            made = CliRunner().invoke(tokens, arguments, obj=lambda: services)
        finally:
            services.database.close()
        assert made.exit_code == 0, made.output
        return made.stdout.splitlines()[-1]

    def start(
        self, command: Sequence[str], cwd: Path | None = None, **environ: str
    ) -> Started:
        """Start any command in this house, or in another working folder."""
        everything = self.environ | environ
        started = Started(command, self._outputs, everything, cwd or self.folder)
        self._started.append(started)
        return started

    def serve(self, *options: str, **environ: str) -> tuple[Started, str]:
        """Start `flaskllm serve` on a free port; return it ready, and its address."""
        port = free_port()
        command = [*FLASKLLM, "serve", f"--port={port}", *options]
        started = self.start(command, **environ)
        url = f"http://127.0.0.1:{port}"
        started.wait_until_ready(url)
        return started, url

    def close(self) -> None:
        """End every process that still runs, at once and with all its children."""
        for started in self._started:
            started.kill()


@contextlib.contextmanager
def open_house(folder: Path) -> Iterator[House]:
    """Give a house, and end all its processes afterwards."""
    house = House(folder)
    try:
        yield house
    finally:
        house.close()


def free_port() -> int:
    """Return a port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def bearer(token: str) -> dict[str, str]:
    """Return the header of an API token."""
    return {"Authorization": f"Bearer {token}"}


def post(url: str, token: str, body: bytes, media_type: str, **query: str):
    """Return the webhook's answer to one document."""
    return requests.post(
        f"{url}/api/v1/webhook",
        params=query,
        data=body,
        headers={**bearer(token), "Content-Type": media_type},
        timeout=60,
    )


def exchange(
    address: tuple[str, int],
    sent: bytes,
    *,
    seconds: float = 10.0,
    then_close: bool = False,
) -> bytes:
    """Send these bytes on a fresh connection and return all that comes back."""
    with socket.create_connection(address, timeout=seconds) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(sent)
            if then_close:
                connection.shutdown(socket.SHUT_WR)
        return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    """Return what comes until the peer closes, resets or says nothing more."""
    received = b""
    with contextlib.suppress(ConnectionError, TimeoutError):
        while data := connection.recv(65536):
            received += data
    return received


def statuses_of(received: bytes) -> list[int]:
    """Return the status of every response in what came back on one connection."""
    heads = [line for line in received.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    return [int(line.split()[1]) for line in heads]
