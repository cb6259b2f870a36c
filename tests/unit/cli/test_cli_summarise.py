"""`flaskllm summarise`: what it asks for, and what it prints where."""

import io
import json
import sys
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from account_fakes import make_accounts
from click import unstyle
from click.testing import CliRunner
from fakes import FakeClock

from flaskllm.cli.summarise import make_call, summarise
from flaskllm.core.errors import LLMTimeout
from flaskllm.llm.types import Attempt, Deployment, Outcome, Usage
from flaskllm.services.accounts import Accounts
from flaskllm.services.digests.sizes import Plan
from flaskllm.services.digests.types import Digest, DigestOrder, DigestResult, Summary

ATTEMPT = Attempt(1, "fast", Deployment("small", "box", "vllm", "m"))
OUTCOME = Outcome("OK", 0.5, Usage())
DIGEST = Digest("de", "email", summary=Summary("Grüße", ()), warnings=("a: b",))
RESULT = DigestResult(
    id="dig_1",
    type="summary",
    text="Grüße",
    digest=DIGEST,
    provider="box",
    model="m",
    usage=Usage(input_uncached=3, output_text=2, source="provider"),
    cached=False,
    degraded=True,
    warnings=("a: b",),
)


@dataclass
class SomeServices:
    """Makes the same digest of every order, after one attempt."""

    clock: FakeClock = field(default_factory=FakeClock)
    deadline_seconds: float = 30.0
    orders: list = field(default_factory=list)
    accounts: Accounts = field(default_factory=make_accounts)
    error: Exception | None = None
    cost_nanos: int | None = 65_200_000
    privacy: None = None

    @property
    def digests(self):
        return self

    def plan(self, order, call):
        self.orders.append(order)
        if self.error:
            raise self.error
        return Plan(13, 54_817, 34_260, self.cost_nanos, ((), ()) * 6)

    def make(self, order, call):
        self.orders.append(order)
        self.clock.advance(1.5)
        call.before(ATTEMPT)
        call.after(ATTEMPT, OUTCOME)
        if self.error:
            raise self.error
        return RESULT


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def services():
    return SomeServices()


@pytest.fixture
def run(services):
    def run(*arguments, stdin=b"Hello"):
        return CliRunner().invoke(
            summarise, arguments, input=stdin, obj=lambda: services
        )

    return run


@pytest.fixture
def run_on_terminal(services, monkeypatch):
    """Run the command with a terminal at both outputs, and return what they show."""

    def run(*arguments):
        out, err = Terminal(), Terminal()
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", out)
            patched.setattr(sys, "stderr", err)
            summarise.main(arguments, obj=lambda: services, standalone_mode=False)
        return unstyle(out.getvalue()), err.getvalue()

    return run


def test_a_pipe_gets_the_digest_as_json_and_nothing_else(run):
    result = run("-")

    reply = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (0, "")
    assert reply["data"] == {
        "id": "dig_1",
        "type": "summary",
        "text": "Grüße",
        "digest": json.loads(json.dumps(DIGEST.to_json())),
    }
    assert "Grüße" in result.stdout


def test_the_json_tells_how_the_digest_was_made(run, services):
    meta = json.loads(run("-").stdout)["meta"]

    assert meta == {
        "request_id": services.accounts.house.writer.closings[0].usage.request_id,
        "processing_time": 1.5,
        "provider": "box",
        "model": "m",
        "format": "text",
        "usage": {"tokens_input": 3, "tokens_output": 2, "source": "provider"},
        "cost": 0.0,
        "cached": False,
        "degraded": True,
        "warnings": ["a: b"],
    }


def test_a_terminal_gets_text_and_sees_whom_it_waits_for(run_on_terminal, tmp_path):
    (tmp_path / "mail.eml").write_bytes(b"Hello")

    out, err = run_on_terminal(str(tmp_path / "mail.eml"))

    assert out == (
        "Grüße\n\n\nWarnings\n  a: b\n\n(degraded: a model did not make all of it)\n"
    )
    assert err == "asking small ...\n"


def test_a_plan_is_told_and_nobody_is_asked(run, services):
    result = run("-", "--plan", "--type", "keywords")

    assert json.loads(result.stdout) == {
        "data": {
            "plan": {
                "calls": 13,
                "pieces": 12,
                "tokens_input": 54_817,
                "tokens_output_most": 34_260,
                "cost_estimated": 0.0652,
            }
        }
    }
    assert [order.type for order in services.orders] == ["keywords"]
    assert services.accounts.house.writer.closings == []


@pytest.mark.parametrize(
    ("cost_nanos", "told"), [(65_200_000, "0.065200"), (None, "not known")]
)
def test_a_terminal_gets_the_plan_as_lines(
    run_on_terminal, services, tmp_path, cost_nanos, told
):
    services.cost_nanos = cost_nanos
    (tmp_path / "mail.eml").write_bytes(b"Hello")

    out, _ = run_on_terminal(str(tmp_path / "mail.eml"), "--plan")

    lines = [line.rsplit("  ", 1) for line in out.splitlines()]
    assert {name.strip(): value.strip() for name, value in lines} == {
        "calls": "13",
        "pieces": "12",
        "tokens input": "54,817",
        "tokens output most": "34,260",
        "US dollars, about": told,
    }


def test_a_plan_that_cannot_be_made_ends_with_its_problem(run, services):
    services.error = LLMTimeout(details="Too late.")

    result = run("-", "--plan")

    assert result.exit_code != 0
    assert result.stdout == ""


def test_a_terminal_gets_json_when_asked(run_on_terminal, tmp_path):
    (tmp_path / "mail.eml").write_bytes(b"Hello")

    out, _ = run_on_terminal(str(tmp_path / "mail.eml"), "--json")

    assert json.loads(out)["data"]["id"] == "dig_1"


def test_without_options_the_order_is_a_summary_of_what_was_read(run, services):
    run("-", stdin=b"Hello \xff")

    assert services.orders == [DigestOrder(content=b"Hello \xff")]


def test_every_option_becomes_a_part_of_the_order(run, services):
    run(
        *("-", "--type", "classification", "--language", "de", "--model", "fast"),
        *("--variable", "labels=a,b", "--variable", "instructions=x=y"),
        *("--reference-time", "2026-10-05T09:30:00+02:00"),
    )

    assert services.orders == [
        DigestOrder(
            content=b"Hello",
            type="classification",
            language="de",
            model="fast",
            reference_time=datetime.fromisoformat("2026-10-05T09:30:00+02:00"),
            variables={"labels": "a,b", "instructions": "x=y"},
        )
    ]


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.eml", "message/rfc822"),
        ("A.EML", "message/rfc822"),
        ("a.vtt", "text/vtt"),
        ("a.srt", "application/x-subrip"),
        ("a.ics", "text/calendar"),
        ("a.txt", None),
        ("a", None),
    ],
)
def test_the_name_of_a_file_tells_its_type(run, services, tmp_path, name, media_type):
    (tmp_path / name).write_bytes(b"Hello")

    run(str(tmp_path / name))

    assert services.orders[0].media_type == media_type


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nowhere.eml",), "nowhere.eml"),
        (("-", "--type=poem"), "poem"),
        (("-", "--language=xx"), "'xx' is not an ISO 639-1 code"),
        (("-", "--variable=labels"), "'labels' is not NAME=VALUE"),
    ],
)
def test_a_wrong_order_is_status_2_and_asks_nobody(run, services, arguments, told):
    result = run(*arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr
    assert services.orders == []


def test_a_failure_is_told_in_its_own_words_with_status_1(run, services):
    services.error = LLMTimeout(details="After 30 s.")

    result = run("-")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "did not answer in time. After 30 s." in result.stderr


def test_every_attempt_is_recorded_under_one_request(run, services):
    run("-")

    (closing,) = services.accounts.house.writer.closings
    row = closing.usage
    assert (row.id, row.outcome) == (ATTEMPT.id, OUTCOME.code)
    assert (row.principal_id, row.source) == ("command-line", "cli:summarise")
    assert row.request_id.startswith("req_")


def test_a_call_has_the_deadline_of_the_settings_and_nobody_to_watch(services):
    call, _account = make_call(services, "req_1")

    assert call.deadline.remaining_seconds() == 30.0
    assert call.caller is None
    call.wait(2.0)
    assert services.clock.slept == [2.0]


@pytest.mark.parametrize("time", ["yesterday", "2026-10-05T09:30:00", "2026-10-05"])
def test_a_reference_time_needs_its_offset(run, services, time):
    result = run("-", "--reference-time", time)

    assert result.exit_code == 2
    assert "is not like 2026-10-05T09:30:00+02:00" in result.stderr
    assert services.orders == []
