"""Fixtures for every test."""

import gc
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fakes import FakeClock, Upstream
from hypothesis import settings
from processes import House, open_house
from redis_server import redis_server, redis_url  # noqa: F401  # fixtures
from requirements import require
from rounds import rounds
from stores import (  # noqa: F401  # fixtures
    database_url,
    empty_postgres_url,
    make_database,
    postgres,
    postgres_database_url,
    postgres_in_turns,
    sqlite_database_url,
    sqlite_template,
)

_FIGURE = "figure"

# What they are about runs in processes of their own, or is read and not run. To trace a
# test takes as long again, and covers nothing there. Tests of large inputs say the same
# of themselves: traced, they take minutes, and smaller ones cover the same lines.
_NOT_TRACED = {
    "architecture",
    "clients",
    "e2e",
    "engines",
    "faults",
    "live",
    "soak",
    "test_architecture.py",
}
# Of the whole gateway in one process: what smaller tests do not reach already.
_TRACED_OF_INTEGRATION = (
    "test_batches",
    "test_cache_http",
    "test_egress",
    "test_inbound_http",
    "test_long_digests",
    "test_net",
    "test_thread_digests",
    "test_transport",
    "test_usage_series",
)


# How long one example takes says more about who else is on the machine.
settings.register_profile("ours", max_examples=rounds(40, 100), deadline=None)
settings.load_profile("ours")


def pytest_configure() -> None:
    """Leave garbage alone while tests are collected: a third of that time."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage from now on, but not among the tests, which all stay."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Measure the coverage only of tests that can add to it."""
    for item in items:
        if not _is_traced(item.path.relative_to(Path(__file__).parent)):
            item.add_marker(pytest.mark.no_cover)


def _is_traced(path: Path) -> bool:
    if path.parts[0] == "integration":
        return path.name.startswith(_TRACED_OF_INTEGRATION)
    return path.parts[0] not in _NOT_TRACED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what tests measured, their property `figure`, test by test."""
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        if getattr(report, "when", "") == "call"
    ]
    lines = [
        (report.nodeid.rpartition("::")[2], line)
        for report in reports
        for name, line in report.user_properties
        if name == _FIGURE
    ]
    if lines:
        terminalreporter.section("figures")
        for test, line in lines:
            terminalreporter.write_line(f"{test}: {line}")


@contextmanager
def _logs_as_they_were() -> Iterator[None]:
    """Making an app configures the logs of its process; the next test has its own."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    for added in [each for each in root.handlers if each not in handlers]:
        added.close()
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.fixture(autouse=True, scope="module")
def _logs_of_a_module() -> Iterator[None]:
    with _logs_as_they_were():
        yield


@pytest.fixture(autouse=True)
def _logs_of_a_test() -> Iterator[None]:
    with _logs_as_they_were():
        yield


@pytest.fixture
def fake_clock() -> FakeClock:
    """A clock that moves only when told."""
    return FakeClock()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """A scripted upstream on a real socket."""
    with Upstream() as server:
        yield server


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A folder with settings and data, and processes that end with the test."""
    with open_house(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of sample mails and transcripts, which the project does not hold."""
    folder = os.environ.get("FLASKLLM_TEST_SAMPLES")
    if not folder:
        require("samples", "set FLASKLLM_TEST_SAMPLES to the folder of the samples")
    return Path(folder)
