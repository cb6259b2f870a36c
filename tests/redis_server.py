"""A Redis server of the tests' own: it keeps nothing on disk, and is gone with them.

Whoever runs the tests needs Debian's package `redis-server`, and nothing set up in it.
"""

import contextlib
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from processes import free_port
from requirements import require

from flaskllm.core.clock import SystemClock
from flaskllm.core.metrics import Metrics
from flaskllm.storage.redis_store import RedisStore

PASSWORD = "geheim:@/?#%"
_QUOTED = "geheim%3A%40%2F%3F%23%25"
_START_SECONDS = 10.0
_PATIENCE_SECONDS = 10.0


class RedisServer:
    """A running server; `url` is the address of one of its databases."""

    def __init__(self, program: str):
        """Start it, empty."""
        self._program = program
        self.folder = Path(tempfile.mkdtemp(prefix="flaskllm-redis-"))
        self.port = free_port()
        self.start()

    def url(self, database: int = 0) -> str:
        """Return the address, for `FLASKLLM_REDIS_URL`."""
        return f"redis://:{_QUOTED}@127.0.0.1:{self.port}/{database}"

    def client(self, database: int = 0) -> redis.Redis:
        """Return a client that waits as long as it takes."""
        return redis.Redis.from_url(self.url(database))

    def start(self) -> None:
        """Start it anew: whatever it held is gone."""
        self._process = subprocess.Popen(
            [self._program, "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        self._process.stdin.write(self._settings().encode())
        self._process.stdin.close()
        until = time.monotonic() + _START_SECONDS
        while True:
            try:
                with contextlib.closing(self.client()) as client:
                    client.ping()
                return
            except redis.RedisError:
                assert time.monotonic() < until, "redis-server does not start"
                time.sleep(0.02)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        """Let it accept connections, and answer none."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End it, and remove what it wrote."""
        self.kill()
        shutil.rmtree(self.folder)

    def _settings(self) -> str:
        return (
            f'bind 127.0.0.1\nport {self.port}\nrequirepass "{PASSWORD}"\n'
            f'dir {self.folder}\nsave ""\nappendonly no\ndatabases 16\n'
            "enable-debug-command yes\n"
        )


def patient_store(url: str) -> RedisStore:
    """Return a store whose operations may take what a busy machine takes."""
    return RedisStore(url, SystemClock(), Metrics().stores, _PATIENCE_SECONDS)


def find_redis() -> str:
    """Return the program; without it the test is skipped, or fails where required."""
    program = shutil.which("redis-server")
    return program or require("redis", "redis-server is not installed")


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The Redis server of this run's process; who kills it starts it again."""
    server = RedisServer(find_redis())
    yield server
    server.close()


@pytest.fixture
def redis_url(redis_server) -> str:
    """The address of an empty Redis."""
    with contextlib.closing(redis_server.client()) as client:
        client.flushall()
    return redis_server.url()
