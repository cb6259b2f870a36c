"""The metrics of one process."""

import re
import threading
import timeit

import pytest
from doc_blocks import read_doc
from prometheus_client.parser import text_string_to_metric_families

from flaskllm.core.metrics import CONTENT_TYPE, Metrics


@pytest.fixture
def metrics():
    return Metrics()


def samples(metrics):
    """Return the value of each sample by its name and labels."""
    families = text_string_to_metric_families(metrics.render().decode())
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(metrics, name, **labels):
    """Return the value of one sample."""
    return samples(metrics)[(name, *sorted(labels.items()))]


def test_two_of_them_count_for_themselves(metrics):
    Metrics().count_cut("caller")

    metrics.count_cut("caller")

    assert value(metrics, "flaskllm_streams_cut_total", reason="caller") == 1


def test_names_that_callers_make_up_do_not_fill_the_memory(metrics):
    for number in range(1200):
        metrics.count_attempt(f"openai/m-{number}", "openai", "OK", 1.0)
    metrics.count_attempt("openai/m-0", "openai", "OK", 1.0)

    labels = {"provider": "openai", "code": "OK"}
    name = "flaskllm_attempts_total"
    assert value(metrics, name, deployment="other", **labels) == 200
    assert value(metrics, name, deployment="openai/m-0", **labels) == 2


def test_a_request_is_counted_by_rule_method_and_status(metrics):
    for status in (200, 200, 404):
        metrics.count_request("/api/v1/chat", "POST", status)

    labels = {"rule": "/api/v1/chat", "method": "POST"}
    name = "flaskllm_requests_total"
    assert value(metrics, name, **labels, status="200") == 2
    assert value(metrics, name, **labels, status="404") == 1


def test_what_a_caller_makes_up_is_no_label(metrics):
    metrics.count_request(None, "XYZZY", 405)
    metrics.time_request(None, 0.1, 0.0)

    labels = {"rule": "none", "method": "other", "status": "405"}
    assert value(metrics, "flaskllm_requests_total", **labels) == 1
    assert value(metrics, "flaskllm_request_seconds_count", rule="none") == 1


@pytest.mark.parametrize(
    ("seconds", "upstream_seconds", "overhead"),
    [(1.5, 1.25, 0.25), (1.0, 0.0, 1.0), (1.0, 1.5, 0.0)],
)
def test_our_own_overhead_is_what_the_attempts_did_not_take(
    metrics, seconds, upstream_seconds, overhead
):
    metrics.time_request("/x", seconds, upstream_seconds)

    assert value(metrics, "flaskllm_request_seconds_sum", rule="/x") == seconds
    assert value(metrics, "flaskllm_overhead_seconds_sum", rule="/x") == overhead


def test_an_attempt_is_counted_by_deployment_provider_and_code(metrics):
    metrics.count_attempt("mini", "openai", "LLM_TIMEOUT", 60.0)
    metrics.time_first_token("mini", 0.3)

    labels = {"deployment": "mini", "provider": "openai", "code": "LLM_TIMEOUT"}
    assert value(metrics, "flaskllm_attempts_total", **labels) == 1
    mini = {"deployment": "mini"}
    assert value(metrics, "flaskllm_attempt_seconds_sum", **mini) == 60.0
    first = "flaskllm_first_token_seconds_bucket"
    assert value(metrics, first, **mini, le="0.25") == 0
    assert value(metrics, first, **mini, le="0.5") == 1


def test_tokens_are_counted_by_kind_and_none_for_nothing(metrics):
    metrics.count_tokens("mini", {"input_uncached": 7, "output_text": 0})
    metrics.count_tokens("mini", {"input_uncached": 5, "output_text": 2})

    name = "flaskllm_tokens_total"
    assert value(metrics, name, deployment="mini", kind="input_uncached") == 12
    assert value(metrics, name, deployment="mini", kind="output_text") == 2


def test_skipped_events_are_counted(metrics):
    metrics.count_malformed("mini", 0)
    assert "mini" not in metrics.render().decode()

    metrics.count_malformed("mini", 3)

    name = "flaskllm_malformed_events_total"
    assert value(metrics, name, deployment="mini") == 3


def test_gauges_are_there_before_anything_happened(metrics):
    assert value(metrics, "flaskllm_streams_in_flight") == 0
    assert value(metrics, "flaskllm_websockets_open") == 0


def test_every_name_begins_alike_and_no_series_tells_when_it_began(metrics):
    metrics.count_request("/x", "GET", 200)

    names = {name for name, *_ in samples(metrics)}
    assert {name.partition("_")[0] for name in names} == {"flaskllm"}
    assert not [name for name in names if name.endswith("_created")]
    assert CONTENT_TYPE.startswith("text/plain; version=0.0.4")


def test_threads_count_together(metrics):
    def count():
        for _ in range(1000):
            metrics.count_request("/x", "GET", 200)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    labels = {"rule": "/x", "method": "GET", "status": "200"}
    assert value(metrics, "flaskllm_requests_total", **labels) == 4000


def test_counting_a_request_costs_microseconds(metrics):
    def count():
        metrics.count_request("/x", "GET", 200)
        metrics.time_request("/x", 0.5, 0.4)
        metrics.count_attempt("mini", "openai", "OK", 0.4)
        metrics.count_tokens("mini", {"input_uncached": 7, "output_text": 2})

    count()
    seconds = min(timeit.repeat(count, number=1000, repeat=5)) / 1000

    assert seconds < 100e-6  # 7 to 10 on an idle machine


def test_every_metric_and_its_labels_have_their_row_and_no_row_is_made_up(metrics):
    rows = [line.split("|") for line in read_doc("docs/metrics.md").splitlines()]
    told = {
        row[1].strip(" `").removesuffix("_total"): set(re.findall(r"\w+", row[2]))
        for row in rows
        if len(row) > 3 and row[1].startswith(" `flaskllm_")
    }
    metrics.count_request("/x", "GET", 200)
    metrics.time_request("/x", 1.0, 0.5)
    metrics.count_attempt("mini", "openai", "OK", 0.5)
    metrics.time_first_token("mini", 0.5)
    metrics.count_tokens("mini", {"output_text": 1})
    metrics.count_cut("caller")
    metrics.count_malformed("mini", 1)
    metrics.set_breaker("mini", 2)
    metrics.count_opening("mini")
    metrics.count_refused_repeat("mini")
    metrics.count_wait("mini")
    metrics.money.count_cost("mini", 1)
    metrics.money.count_unpriced("mini")
    metrics.money.count_refused("budget")
    metrics.money.count_budget_passed("hard", "day")
    metrics.cache.count_request("hit", "", 1)

    families = text_string_to_metric_families(metrics.render().decode())
    assert told == {
        family.name: {label for each in family.samples for label in each.labels}
        - {"le"}
        for family in families
    }
