"""`flaskllm maintain`: a line for each duty."""

from dataclasses import dataclass

import pytest
from click.testing import CliRunner

from flaskllm.cli import cli
from flaskllm.core.config import load
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.services.housekeeping import Report
from flaskllm.wiring import build_services


@dataclass
class FakeHousekeeping:
    """Tells these reports; `broken` is raised instead when it is set."""

    reports: tuple = ()
    broken: Exception | None = None
    asked: bool | None = None

    def run(self, *, regardless):
        self.asked = regardless
        if self.broken:
            raise self.broken
        return self.reports


@dataclass(frozen=True)
class SomeServices:
    """What the command uses of the services."""

    housekeeping: FakeHousekeeping


@pytest.fixture
def run(monkeypatch):
    def run(housekeeping, *options):
        services = SomeServices(housekeeping)
        monkeypatch.setattr("flaskllm.cli._obtain_services", lambda: services)
        return CliRunner().invoke(cli, ["maintain", *options])

    return run


def test_each_duty_has_its_line(run):
    reports = (Report("sweep", "done", 3), Report("expiry", "not_due"))

    result = run(FakeHousekeeping(reports))

    assert result.exit_code == 0
    assert result.stdout.splitlines() == ["sweep: 3", "expiry: not due"]


@pytest.mark.parametrize(("options", "asked"), [((), False), (("--all",), True)])
def test_only_with_all_it_does_what_is_not_due(run, options, asked):
    housekeeping = FakeHousekeeping()

    run(housekeeping, *options)

    assert housekeeping.asked is asked


def test_a_duty_that_failed_is_told_after_the_others(run):
    reports = (Report("sweep", "failed"), Report("expiry", "done", 1))

    result = run(FakeHousekeeping(reports))

    assert result.exit_code == 1
    assert result.stdout.splitlines() == ["sweep: failed", "expiry: 1"]
    assert "sweep" in result.stderr


def test_a_database_that_does_not_answer_is_told(run):
    result = run(FakeHousekeeping(broken=ServiceUnavailable(details="It is locked.")))

    assert result.exit_code == 1
    assert "It is locked." in result.stderr


def test_every_duty_of_the_house_is_done_and_then_not_due(tmp_path, monkeypatch):
    services = build_services(load({}, tmp_path))
    monkeypatch.setattr("flaskllm.cli._obtain_services", lambda: services)

    first, second, third = (
        CliRunner().invoke(cli, ["maintain", *options]).stdout.splitlines()
        for options in ((), (), ("--all",))
    )
    services.database.close()

    assert "responses: 0" in first
    assert all(line.endswith(": 0") for line in first + third)
    assert second == [line.replace(": 0", ": not due") for line in first]
