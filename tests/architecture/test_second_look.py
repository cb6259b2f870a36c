"""What failed in the suite is looked at once more, and only that."""

import subprocess
import sys
from pathlib import Path

import pytest
import second_look

ONCE = """
from pathlib import Path

def test_fails_the_first_time():
    mark = Path("was_here")
    was_here = mark.exists()
    mark.touch()
    assert was_here

def test_passes():
    with Path("passed").open("a") as file:
        file.write("once ")
"""
ALWAYS = "def test_fails(): assert False"
MANY = """
import pytest

@pytest.mark.parametrize("number", range(4))
def test_fails(number):
    assert number is None
"""


@pytest.fixture
def look(tmp_path):
    def look_at(text):
        (tmp_path / "test_it.py").write_text(text)
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        program = Path(second_look.__file__)
        command = [sys.executable, program, "-n", "2", "--dist", "worksteal"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    return look_at


def test_what_fails_only_beside_others_is_told_and_does_not_count(look, tmp_path):
    looked = look(ONCE)

    assert looked.returncode == 0
    told = looked.stdout.partition("FAILED ONCE and passed alone")[2]
    assert "test_it.py::test_fails_the_first_time" in told
    assert (tmp_path / "passed").read_text() == "once "


def test_what_fails_twice_has_failed(look):
    looked = look(ALWAYS)

    assert looked.returncode == 1
    assert "looked at once more" in looked.stdout


def test_many_failures_are_not_looked_at_again(look):
    looked = look(MANY)

    assert looked.returncode == 1
    assert "looked at once more" not in looked.stdout


def test_a_suite_that_breaks_is_not_looked_at_again(look):
    looked = look("import what_is_not_there")

    assert looked.returncode != 0
    assert "passed alone" not in looked.stdout
