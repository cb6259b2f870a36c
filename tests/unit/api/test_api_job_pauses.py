"""After how many seconds to ask again for a job."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from flaskllm.api.v1.job_data import pause_seconds

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def seconds(number):
    return timedelta(seconds=number)


@pytest.mark.parametrize(
    ("age", "put_off", "pause"),
    [
        (0, None, 1),
        (10, None, 5),
        (60, None, 15),
        (7200, None, 20),
        (3, 10.2, 11),
        (3, 60.1, 60),
        (3, 3600, 60),
        (3, 0.1, 1),
        (3, 0, 1),  # its time has come, and it waits for a worker
        (60, -5, 15),
    ],
)
def test_an_old_job_and_one_that_was_put_off_are_asked_for_less_often(
    age, put_off, pause
):
    next_at = None if put_off is None else NOW + seconds(put_off)
    job = SimpleNamespace(created_at=NOW - seconds(age), next_at=next_at)

    assert pause_seconds(job, NOW) == pause
