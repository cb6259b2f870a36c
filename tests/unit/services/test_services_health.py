"""Ready means that the database answers."""

from dataclasses import dataclass

import pytest

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.services.health import Health


@dataclass
class SomeDatabase:
    error: Exception | None = None

    def check(self):
        if self.error:
            raise self.error


def test_a_database_that_answers_is_ready():
    assert Health(SomeDatabase()).ready() is True


def test_a_database_that_does_not_is_not():
    assert Health(SomeDatabase(ServiceUnavailable())).ready() is False


def test_a_fault_of_ours_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        Health(SomeDatabase(ZeroDivisionError())).ready()
