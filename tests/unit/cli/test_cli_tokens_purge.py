"""`flaskllm tokens purge` tells what was removed, and whether all of it was."""

import json
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from flaskllm.cli.tokens import tokens
from flaskllm.services.keeping.erasing import Erased


@dataclass(frozen=True)
class SomeServices:
    """What the command uses of the services."""

    keeping: SimpleNamespace


@dataclass
class FakeErasing:
    """Answers as told, and remembers what was asked."""

    answer: Erased
    asked: tuple = ()

    def erase(self, principal_id, actor, *, accounts):
        self.asked = (principal_id, accounts)
        return self.answer


@pytest.fixture
def purge():
    def purge(answer, *arguments):
        erasing = FakeErasing(answer)
        services = SomeServices(SimpleNamespace(erasing=erasing))
        words = ["purge", "a" * 12, *arguments]
        return CliRunner().invoke(tokens, words, obj=lambda: services), erasing

    return purge


def test_it_tells_what_was_removed(purge):
    result, erasing = purge(Erased({"jobs": 2, "responses": 11}, True))

    assert result.stdout.split() == ["jobs", "2", "responses", "11"]
    assert (result.exit_code, erasing.asked) == (0, ("a" * 12, False))
    assert "Nothing is left" in result.stderr


def test_it_tells_as_the_api_does(purge):
    result, erasing = purge(Erased({"jobs": 2}, True), "--json", "--accounts")

    assert json.loads(result.stdout) == {"removed": {"jobs": 2}, "complete": True}
    assert erasing.asked == ("a" * 12, True)


def test_what_is_left_is_told_with_status_1(purge):
    result, _ = purge(Erased({}, False), "--accounts")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "under way" in result.stderr
