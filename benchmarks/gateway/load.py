"""The load on a server: `wrk` with one question, and what it measured."""

import re
import subprocess
from pathlib import Path

from servers import CLIENT_CORE

_LUA = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer {token}"
wrk.body = '{{"model":"static","messages":[{{"role":"user","content":"When?"}}]}}'
done = function(summary, latency, requests)
  io.write(string.format("requests=%d rps=%.1f p50=%.2f p99=%.2f bad=%d\\n",
    summary.requests, summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    summary.errors.status + summary.errors.connect
    + summary.errors.read + summary.errors.timeout))
end
"""

_PAIR = re.compile(r"([a-z0-9]+)=([0-9.]+)")


def write_script(folder: Path, token: str) -> Path:
    """Return the script of `wrk`, written into the folder."""
    script = folder / "post.lua"
    script.write_text(_LUA.format(token=token))
    return script


def wrk(url: str, script: Path, connections: int, seconds: int) -> dict[str, float]:
    """Ask for so long from the clients' core; return what `wrk` measured."""
    command = [
        *("taskset", "--cpu-list", str(CLIENT_CORE), "wrk", "--threads=1"),
        *(f"--connections={connections}", f"--duration={seconds}s", "--timeout=30s"),
        *(f"--script={script}", f"{url}/v1/chat/completions"),
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return {name: float(value) for name, value in _PAIR.findall(run.stdout)}
