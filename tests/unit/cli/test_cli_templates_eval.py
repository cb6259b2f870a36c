"""`flaskllm templates eval`: what it asks for, and what it prints."""

import json
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import pytest
from account_fakes import make_accounts
from click.testing import CliRunner
from fakes import FakeClock

from flaskllm.cli.templates_eval import PLANTED, templates
from flaskllm.core.errors import (
    InvalidInputError,
    LLMCredentialRejected,
    LLMProtocolError,
)
from flaskllm.llm.types import Usage
from flaskllm.services.accounts import Accounts
from flaskllm.services.digests.evaluation import read_planted
from flaskllm.services.digests.types import (
    Digest,
    DigestResult,
    Evidence,
    Statement,
    Summary,
)

NAMES = [planted.name for planted in read_planted(PLANTED)]
TRUE = Statement("Both valves go", Evidence("We decided to replace both valves.", True))
RESULT = DigestResult(
    id="dig_1",
    type="summary",
    text="News.",
    digest=Digest("en", "email", summary=Summary("News.")),
    provider="box",
    model="m",
    usage=Usage(input_uncached=30, output_text=2, source="provider"),
    cached=False,
    degraded=False,
    warnings=(),
)


@dataclass
class SomeServices:
    """Makes the same digest of every order but one, whose facts it finds."""

    clock: FakeClock = field(default_factory=FakeClock)
    deadline_seconds: float = 30.0
    privacy: None = None
    accounts: Accounts = field(default_factory=make_accounts)
    orders: list = field(default_factory=list)
    error: Exception | None = None

    @property
    def digests(self):
        return self

    @property
    def templates(self):
        known = {"summary": "summary", "mine": "action_items", "keywords": "keywords"}
        listed = [SimpleNamespace(name=name, type=known[name]) for name in known]
        return SimpleNamespace(list=lambda: listed)

    def make(self, order, call):
        self.orders.append(order)
        digest = RESULT.digest
        if self.error and len(self.orders) == 3:
            raise self.error
        if b"two and a half thousand" in order.content:
            short = Summary("It costs 1,900 dollars.")
            digest = replace(digest, decisions=(TRUE,), summary=short)
        return replace(RESULT, type=order.type, digest=digest)


@pytest.fixture
def services():
    return SomeServices()


@pytest.fixture
def run(services):
    def invoke(*words):
        return CliRunner().invoke(templates, ["eval", *words], obj=lambda: services)

    return invoke


def test_each_planted_document_is_ordered_at_its_own_time(run, services):
    done = run("mine", "--model", "fast")

    assert done.exit_code == 0, done.output
    assert len(services.orders) == len(NAMES) == 12
    for order in services.orders:
        assert (order.type, order.template, order.model) == (
            "action_items",
            "mine",
            "fast",
        )
        assert order.reference_time.tzinfo is not None


def test_a_row_for_each_document_and_one_for_all(run):
    lines = run().output.splitlines()

    assert [line.split()[0] for line in lines[1:14]] == [*NAMES, "all"]
    row = next(line.split() for line in lines if line.startswith("mail-en.eml"))
    assert row[1:] == ["1", "of", "7", "100%", "1", "30", "2"]
    assert lines[13].split()[1:] == ["1", "of", "84", "100%", "1", "360", "24"]
    assert lines[14].startswith("mail-en.eml: forbidden: any: ")
    assert len(lines) == 15
    # Where no fact was kept, none can be verified.
    others = [line.split() for line in lines[1:13] if "mail-en.eml" not in line]
    assert {row[4] for row in others} == {"-"}


def test_what_was_missed_is_named_when_asked(run):
    lines = run("--missed").output.splitlines()

    missed = [line for line in lines if ": not found: " in line]
    assert len(missed) == 83
    assert not any("replace both valves" in line for line in missed)


def test_an_answer_that_fails_is_counted_and_the_others_go_on(run, services):
    services.error = LLMProtocolError("No.", details="It does not fit its schema.")

    done = run()

    lines = done.stdout.splitlines()
    row = next(line.split() for line in lines if line.startswith(NAMES[2]))
    assert (done.exit_code, len(services.orders)) == (1, len(NAMES))
    assert row[1:] == ["failed", "-", "-", "-", "-"]
    assert lines[13].split()[1:] == ["1", "of", "84", "100%", "1", "330", "22"]
    failure = "LLM_PROTOCOL_ERROR: No. It does not fit its schema."
    assert f"{NAMES[2]}: failed: {failure}" in lines


def test_a_failure_stands_in_the_json_and_in_the_status(run, services):
    services.error = LLMProtocolError("No.")

    done = run("--json")

    rows = json.loads(done.stdout)
    told = [row["failures"] for row in rows]
    assert done.exit_code == 1
    assert told[2] == told[-1] == ["LLM_PROTOCOL_ERROR: No."]
    assert not any(told[:2] + told[3:-1])


@pytest.mark.parametrize("error", [LLMCredentialRejected(), InvalidInputError()])
def test_what_holds_of_every_document_ends_it_at_once(run, services, error):
    services.error = error

    done = run()

    assert (done.exit_code, len(services.orders)) == (1, 3)
    assert done.stdout == ""
    assert error.message in done.stderr


def test_json_holds_the_same(run):
    rows = json.loads(run("--json").output)

    assert [row["name"] for row in rows] == [*NAMES, "all"]
    assert (rows[-1]["wanted"], rows[-1]["found"]) == (84, 1)


@pytest.mark.parametrize("name", ["keywords", "nobody"])
def test_a_template_without_facts_is_refused_before_money_is_spent(run, services, name):
    done = run(name)

    assert done.exit_code == 2
    assert "choose from: mine, summary" in done.output
    assert services.orders == []
