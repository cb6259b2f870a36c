"""The writer: rows are written behind the request, in order, none lost."""

import os
import subprocess
import sys
import threading

from flaskllm.services.usage_writer import UsageWriter

AT_EXIT = """
from flaskllm.services.usage_writer import UsageWriter
writer = UsageWriter(lambda rows: print(*rows))
writer.put("last words")
"""


def test_rows_are_written_in_the_order_in_which_they_came():
    written = []
    writer = UsageWriter(written.extend)

    for number in range(2000):
        writer.put(number)

    assert writer.flush()
    assert written == list(range(2000))


def test_nobody_waits_for_the_write():
    may_write, written = threading.Event(), []

    def write(rows):
        may_write.wait()
        written.extend(rows)

    writer = UsageWriter(write)
    writer.put(1)
    writer.put(2)

    assert not writer.flush(0.01)
    assert written == []
    may_write.set()
    assert writer.flush()
    assert written == [1, 2]


def test_what_waits_is_written_together():
    may_write, sizes = threading.Event(), []

    def write(rows):
        may_write.wait()
        sizes.append(len(rows))

    writer = UsageWriter(write)
    for number in range(700):
        writer.put(number)
    may_write.set()

    assert writer.flush()
    assert sum(sizes) == 700
    assert max(sizes) <= 500
    assert len(sizes) <= 4


def test_a_writer_that_was_never_used_has_nothing_to_flush():
    assert UsageWriter(lambda rows: None).flush()


def test_the_end_of_the_process_writes_what_waits():
    result = subprocess.run(
        [sys.executable, "-c", AT_EXIT], capture_output=True, text=True, timeout=30
    )

    assert result.stdout == "last words\n"
    assert result.returncode == 0


def test_a_forked_process_has_a_thread_of_its_own(tmp_path):
    written = tmp_path / "written"

    def write(rows):
        with written.open("a") as file:
            file.writelines(f"{row}\n" for row in rows)

    writer = UsageWriter(write)
    writer.put("parent")
    assert writer.flush()
    child = os.fork()
    if child == 0:
        writer.put("child")
        os._exit(0 if writer.flush() else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert written.read_text() == "parent\nchild\n"
