"""The extract of a real meeting says more of it than its first 200 words."""

import importlib.util
import sys
from pathlib import Path
from statistics import mean

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    spec = importlib.util.spec_from_file_location(
        "benchmark_extractive", BENCHMARKS / "extractive.py"
    )
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    yield module
    sys.modules.pop("rouge", None)


@pytest.fixture
def meetings(benchmark, samples):
    return benchmark.load(samples)


@pytest.mark.no_cover
def test_the_extract_beats_the_first_200_words(benchmark, meetings):
    found = {
        system: mean(row["ROUGE-1"].f1 for row in benchmark.measure(meetings, system))
        for system in benchmark.SYSTEMS
    }

    assert found["extractive"] > found["first 200 words"]


@pytest.mark.no_cover
def test_the_extract_keeps_to_200_words(benchmark, meetings):
    assert meetings
    for meeting in meetings:
        assert 150 < len(benchmark.take_extract(meeting).split()) <= 200
