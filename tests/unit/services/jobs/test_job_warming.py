"""What the first job needs is loaded before it comes, and no later for a failure."""

from queue import SimpleQueue

import pytest
from callback_scene import FakeWorkflows
from log_lines import ours

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.services.jobs.warming import warm_up


class Failing(FakeWorkflows):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def prepare(self):
        raise self.error


def test_workflows_and_the_model_of_languages_are_loaded_beside_the_requests():
    workflows, texts = FakeWorkflows(), SimpleQueue()

    thread = warm_up(workflows, texts.put)
    thread.join(10)

    assert thread.daemon
    assert workflows.prepared == 1
    assert not texts.empty()


def test_where_no_job_is_accepted_nothing_is_loaded():
    workflows, texts = FakeWorkflows(is_enabled=False), SimpleQueue()

    assert warm_up(workflows, texts.put) is None
    assert (workflows.prepared, texts.empty()) == (0, True)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ServiceUnavailable(details="Full."), ("SERVICE_UNAVAILABLE", "Full.")),
        (KeyError("somebody's text"), ("KeyError", "")),
    ],
)
def test_what_cannot_be_loaded_is_told_and_the_rest_is_loaded(caplog, error, told):
    texts = SimpleQueue()

    warm_up(Failing(error), texts.put).join(10)

    assert not texts.empty()
    [line] = ours(caplog)
    assert line.getMessage() == "not_loaded_yet"
    assert line.fields["what"] == "workflows"
    assert (line.fields["code"], line.fields["reason"]) == told
