"""Whether a process that was here is gone."""

import os
import subprocess
import sys

import pytest

from flaskllm.jobs.identity import host_identity, is_gone, process_identity


@pytest.fixture
def child():
    """A process that waits until its input ends; it is not waited for."""
    command = [sys.executable, "-c", "input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        yield process


def test_a_process_that_runs_is_not_gone(child):
    assert not is_gone(process_identity(child.pid))
    assert not is_gone(process_identity())


def test_a_process_that_has_ended_is_gone_also_before_anybody_waited_for_it(child):
    known = process_identity(child.pid)

    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    assert is_gone(known)
    child.wait()
    assert is_gone(known)


def test_another_process_under_the_same_id_is_another_process():
    number, _, started = process_identity().partition(":")

    assert is_gone(f"{number}:{int(started) - 1}")


@pytest.mark.parametrize("process", ["1", "1:", "x", "", "99999999999999999999:1"])
def test_who_cannot_be_looked_at_counts_as_there(process):
    assert not is_gone(process)


def test_a_process_that_hides_its_start_counts_as_there(tmp_path):
    assert not is_gone(f"{os.getpid()}:1", proc=tmp_path)


def test_a_system_that_does_not_tell_knows_no_machine_and_only_the_id(tmp_path):
    assert host_identity(tmp_path) == ""
    assert process_identity(42, tmp_path) == "42"


def test_two_processes_of_one_machine_have_one_host_identity():
    told = "from flaskllm.jobs.identity import host_identity; print(host_identity())"
    command = [sys.executable, "-c", told]

    there = subprocess.run(command, capture_output=True, text=True, check=True)

    assert there.stdout.strip() == host_identity() != ""
    assert len(host_identity()) <= 120
