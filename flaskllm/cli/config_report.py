"""The report of `flaskllm config check`, for a person and for a machine."""

import re
import textwrap
from collections.abc import Iterator
from json import dumps

from flaskllm.cli.config_check import LAYERS, Outcome, Report
from flaskllm.core.config import Problem
from flaskllm.core.config_version import version_of

_ORIGIN = re.compile(r"(?P<file>[^:\s]+):(?P<line>[0-9]+)")
_STATUS_WIDTH = max(map(len, ("ok", "warning", "error", "skipped")))
_LAYER_WIDTH = max(map(len, LAYERS))
_NAME_WIDTH = max(len(name) for names in LAYERS.values() for name in names)


def report_text(report: Report) -> str:
    """Return a line for each check, its problems below it, and the sum at the end."""
    lines = [line for each in report.outcomes for line in _lines(each)]
    return "\n".join([*lines, "", _sum(report)]) + "\n"


def report_json(report: Report) -> str:
    """Return the report as JSON: the checks in their order, each with its problems."""
    told = {
        "status": _status(report),
        "version": version_of(report.loaded.settings) if report.loaded else None,
        "checks": [
            {
                "layer": each.layer,
                "name": each.check,
                "status": each.status,
                "note": each.note,
                "problems": [_problem(problem) for problem in each.problems],
            }
            for each in report.outcomes
        ],
    }
    return dumps(told, indent=2)


def _lines(outcome: Outcome) -> Iterator[str]:
    columns = (
        outcome.status.ljust(_STATUS_WIDTH),
        outcome.layer.ljust(_LAYER_WIDTH),
        outcome.check.ljust(_NAME_WIDTH),
        outcome.note or LAYERS[outcome.layer][outcome.check],
    )
    yield "  ".join(columns)
    for problem in outcome.problems:
        kind = "warning" if problem.is_warning else "error"
        yield textwrap.indent(f"{kind}: {problem.text()}", "    ")


def _problem(problem: Problem) -> dict[str, object]:
    origin = _ORIGIN.match(problem.origin)
    return {
        "level": "warning" if problem.is_warning else "error",
        "path": problem.path,
        "found": problem.found,
        "allowed": problem.allowed,
        "nearest": problem.nearest or None,
        "origin": problem.origin or None,
        "file": origin["file"] if origin else None,
        "line": int(origin["line"]) if origin else None,
    }


def _status(report: Report) -> str:
    if not report.is_good:
        return "error"
    return "warning" if report.count("warning") else "ok"


def _sum(report: Report) -> str:
    errors, warnings = report.count("error"), report.count("warning")
    told = f"{len(report.outcomes)} checks, {_number(warnings, 'warning')}"
    return f"{_number(errors, 'error')}: {told}" if errors else f"ok: {told}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
