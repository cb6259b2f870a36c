"""The benchmark of digests counts what the pipeline really does."""

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture(scope="module")
def bench():
    """The script; it imports its neighbours by their bare names."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import digests
    finally:
        sys.path.remove(str(BENCHMARKS))
    return digests


def test_a_short_meeting_takes_one_call_for_facts_and_one_for_prose(bench):
    model = bench.Scripted(8_192)

    result = bench.digest(bench.write_meeting(bench.make_turns(480)), model)

    assert len(model.usages) == 2
    assert result.usage.tokens_input == sum(each.tokens_input for each in model.usages)
    assert result.digest.summary.short == "It."


def test_a_long_meeting_takes_more_calls_on_a_small_window(bench):
    content = bench.write_meeting(bench.make_turns(4_800))
    small, large = bench.Scripted(8_192), bench.Scripted(131_072)

    bench.digest(content, small)
    bench.digest(content, large)

    assert len(small.usages) > len(large.usages) == 2


def test_without_a_model_the_summary_is_the_sources_own(bench):
    turns = bench.make_turns(480)

    result = bench.digest(bench.write_meeting(turns), bench.Offline())

    assert result.degraded
    assert result.digest.summary.short in " ".join(text for _, text in turns)


def test_a_thread_that_is_remembered_tells_the_tasks_of_all_its_mails(bench):
    mails = sys.modules["mail_threads"]
    written = mails.write_mails(3)

    known, tasks = mails.take(written, mails.Audience("anna"))
    alone, own = mails.take(written, None)

    assert (tasks, own) == (9, 3)
    assert known[-1] < known[0] + 2 * 500
    assert alone[0] < alone[1] < alone[2]
