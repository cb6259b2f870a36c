"""Gateways on each host, and what can be seen of them from outside."""

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

import requests
from processes import House, Started

GAUGE = "flaskllm_streams_in_flight"

SETTINGS = """
limits: {{unauthenticated_per_minute: 1000000}}  # for who reads the metrics
providers:
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  small: {{provider: box, model: scripted-1}}
routes:
  - {{alias: scripted, deployments: {{small: 1}}}}
"""


@dataclass
class Host:
    """One served gateway: a server with one worker process."""

    started: Started
    url: str

    @property
    def address(self) -> tuple[str, int]:
        """Return where it listens, as sockets take it."""
        host, port = self.url.removeprefix("http://").split(":")
        return host, int(port)

    def gauge(self) -> float:
        """Return how many streams it says are in flight."""
        shown = requests.get(f"{self.url}/metrics", timeout=10).text
        (found,) = re.findall(rf"^{GAUGE} (\S+)$", shown, re.MULTILINE)
        return float(found)

    def wait_for_gauge(self, value: float, seconds: float = 10.0) -> None:
        """Return once so many streams are in flight."""
        self.started.wait_for(lambda: self.gauge() == value, seconds)

    def resident_bytes(self) -> int:
        """Return how much memory its worker has."""
        (worker,) = self.started.workers()
        with open(f"/proc/{worker}/status") as status:
            (line,) = [each for each in status if each.startswith("VmRSS")]
        return int(line.split()[1]) * 1024


def usage_rows(house: House) -> list[Mapping[str, object]]:
    """Return all attempts that were recorded so far."""
    source = f"file:{house.data / 'flaskllm.db'}?mode=ro"
    connection = sqlite3.connect(source, uri=True, timeout=10)
    try:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM usage")]
    finally:
        connection.close()
