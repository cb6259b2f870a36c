"""The gate of full coverage looks at files that exist, and sees every gap."""

import pytest
from coverage_gate import FULL, find_gaps
from source_tree import package_files


def measured(path, lines=(), branches=()):
    """Return what coverage reports of a file."""
    return {path: {"missing_lines": [*lines], "missing_branches": [*branches]}}


@pytest.fixture
def whole():
    """A report in which every file is covered."""
    paths = [f"{each}x.py" if not each.endswith(".py") else each for each in FULL]
    return {name: each for path in paths for name, each in measured(path).items()}


@pytest.mark.parametrize("prefix", FULL)
def test_every_entry_names_files_of_the_package(prefix):
    assert any(file.path.startswith(prefix) for file in package_files())


def test_full_coverage_passes(whole):
    assert list(find_gaps(whole)) == []


@pytest.mark.parametrize(
    ("gap", "told"),
    [
        (measured("flaskllm/net/a.py", lines=[3]), "flaskllm/net/a.py: lines [3]"),
        (measured("flaskllm/core/auth.py", branches=[[3, 5]]), "branches [[3, 5]]"),
    ],
)
def test_a_missing_line_or_branch_is_told(whole, gap, told):
    (line,) = find_gaps({**whole, **gap})

    assert told in line


def test_a_gap_elsewhere_is_left_to_the_gate_over_all_files(whole):
    assert list(find_gaps({**whole, **measured("flaskllm/cli/a.py", [1])})) == []


def test_a_file_that_no_test_reached_is_told(whole):
    del whole["flaskllm/core/auth.py"]

    assert list(find_gaps(whole)) == ["flaskllm/core/auth.py: not in the report"]
