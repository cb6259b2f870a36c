"""The servers of the benchmark: each started on a core of its own, and ended."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
GATEWAY_CORE, CLIENT_CORE = 0, 1
THREADS = 220
API_TOKEN = "benchmark-7c1f0a5d9e3b4826a1f4d7c09b52e8"
LITELLM_VENV = CHECKOUT / ".venv-litellm"

_SETTINGS = """
api_token: {token}
log_level: INFO
log_format: json
log_file: {folder}/gateway.log
server: {{port: {port}, threads: {threads}}}
providers:
  box: {{kind: openai_compatible, base_url: {upstream}/v1}}
deployments:
  any: {{provider: box, model: "*"}}
routes:
  - {{pattern: "*", deployments: {{any: 1}}}}
"""
_LITELLM_SETTINGS = """
model_list:
  - model_name: "*"
    litellm_params: {{model: "openai/*", api_base: "{upstream}/v1", api_key: x}}
general_settings: {{master_key: {token}}}
litellm_settings: {{telemetry: false}}
"""


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    name: str
    url: str
    process: subprocess.Popen[bytes]

    def memory_mib(self) -> float:
        """Return the memory of all its processes; what they share counts once."""
        return sum(map(_proportional_mib, self._process_ids()))

    def cpu_seconds(self) -> float:
        """Return how long its processes have computed so far."""
        return sum(map(_cpu_seconds, self._process_ids()))

    def _process_ids(self) -> list[int]:
        return [self.process.pid, *_children(self.process.pid)]


@contextmanager
def upstream(folder: Path) -> Iterator[Server]:
    """Start the upstream on the clients' core."""
    port = _free_port()
    command = [sys.executable, str(HERE / "upstream.py"), str(port)]
    with _running("upstream", command, port, CLIENT_CORE, folder, {}) as server:
        yield server


@contextmanager
def bare_proxy(folder: Path, target: str) -> Iterator[Server]:
    """Start the proxy of twenty lines under gunicorn."""
    environ = {"UPSTREAM": target}
    with gunicorn("bare proxy", folder, HERE, "bare_proxy", environ) as server:
        yield server


@contextmanager
def gunicorn(
    name: str, folder: Path, home: Path, module: str, environ: Mapping[str, str]
) -> Iterator[Server]:
    """Start the module's `application` under gunicorn, on the gateways' core."""
    port = _free_port()
    config = folder / "bare.conf.py"
    config.write_text("control_socket_disable = True\n")
    command = [
        *(sys.executable, "-m", "gunicorn", f"--config={config}"),
        *("--worker-class=gthread", f"--threads={THREADS}", "--keep-alive=75"),
        f"--worker-connections={THREADS + 4}",
        *(f"--bind=127.0.0.1:{port}", f"--chdir={home}", f"{module}:application"),
    ]
    with _running(name, command, port, GATEWAY_CORE, folder, environ) as server:
        yield server


@contextmanager
def gateway(folder: Path, target: str) -> Iterator[Server]:
    """Start the gateway with everything on: API token, limits, usage, a log file."""
    port = _free_port()
    settings = folder / "flaskllm.yaml"
    settings.write_text(
        _SETTINGS.format(
            token=API_TOKEN, folder=folder, port=port, threads=THREADS, upstream=target
        )
    )
    environ = {"FLASKLLM_CONFIG": str(settings), "FLASKLLM_DATA_DIR": f"{folder}/data"}
    command = [sys.executable, "-m", "flaskllm", "serve"]
    with _running("flaskllm", command, port, GATEWAY_CORE, folder, environ) as server:
        yield server


@contextmanager
def litellm(folder: Path, target: str) -> Iterator[Server]:
    """Start LiteLLM's proxy from its throw-away environment."""
    port = _free_port()
    settings = folder / "litellm.yaml"
    settings.write_text(_LITELLM_SETTINGS.format(token=API_TOKEN, upstream=target))
    command = [
        *(str(LITELLM_VENV / "bin/litellm"), f"--config={settings}"),
        *(f"--port={port}", "--host=127.0.0.1", "--num_workers=1"),
    ]
    environ = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    with _running("LiteLLM", command, port, GATEWAY_CORE, folder, environ) as server:
        yield server


@contextmanager
def _running(
    name: str,
    command: Sequence[str],
    port: int,
    core: int,
    folder: Path,
    environ: Mapping[str, str],
) -> Iterator[Server]:
    """Run a command on one core until the end; give it once its port answers."""
    taskset = shutil.which("taskset") or "taskset"
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [taskset, "--cpu-list", str(core), *command],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), **environ},
            stdout=log,
            stderr=log,
        )
        try:
            _wait_for(port, process, name, folder)
            yield Server(name, f"http://127.0.0.1:{port}", process)
        finally:
            process.terminate()
            process.wait(30)


def _wait_for(
    port: int, process: subprocess.Popen[bytes], name: str, folder: Path
) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.1)
        else:
            return
    log = (folder / f"{name}.log").read_text(errors="replace")
    raise RuntimeError(f"{name} does not answer:\n{log[-2000:]}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    found = [int(each) for each in path.read_text().split()]
    return [*found, *(below for each in found for below in _children(each))]


def _proportional_mib(pid: int) -> float:
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(row.split()[1]) for row in rows if row.startswith("Pss:")) / 1024


def _cpu_seconds(pid: int) -> float:
    # The name, which may hold anything, ends with the last parenthesis.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
