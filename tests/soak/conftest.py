"""Shows what the tests of a soak measured: their property `figure`."""

import pytest

_FIGURE = "figure"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the figures, test by test."""
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
        terminalreporter.section("figures of the soak")
        for test, line in lines:
            terminalreporter.write_line(f"{test}: {line}")
