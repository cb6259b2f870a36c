"""The rules of log lines."""

import base64
import io
import json
import logging
import stat
import sys
import urllib.parse
from contextlib import suppress

import pytest

from flaskllm.core import logs
from flaskllm.core.redaction import MASK, Redactor

SECRET = "sk-live_Zm9v/bar+baz?&=9"
log = logging.getLogger("flaskllm.test_logs")


@pytest.fixture(autouse=True)
def clean():
    """Give each test logging as Python ships it, and take back what it set up."""
    root, kept = logging.getLogger(), logging.getLogger().handlers[:]
    level = root.level
    logs.clear()
    yield
    logs.clear()
    for handler in root.handlers:
        if handler not in kept:
            handler.close()
    root.handlers[:] = kept
    root.setLevel(level)
    for name in (
        "gunicorn.error",
        "gunicorn.access",
        "werkzeug",
        "sqlalchemy",
        "urllib3",
    ):
        logging.getLogger(name).setLevel(logging.NOTSET)


class Stderr:
    """The standard error stream so far; `tty()` makes it a terminal."""

    def __init__(self, capsys, monkeypatch):
        self._capsys, self._monkeypatch, self._seen = capsys, monkeypatch, ""

    def tty(self):
        self._monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    def getvalue(self):
        self._seen += self._capsys.readouterr().err
        return self._seen

    def lines(self):
        return self.getvalue().splitlines()

    def last(self):
        return json.loads(self.lines()[-1])


@pytest.fixture
def stderr(capsys, monkeypatch):
    return Stderr(capsys, monkeypatch)


def test_a_json_line_holds_event_fields_and_context(stderr):
    logs.configure("INFO", "auto", None)
    logs.bind(request_id="req_1")
    logs.bind(principal="tok_1")

    logs.event(log, logging.WARNING, "limit_reached", peer="10.0.0.1", seconds=1.5)

    line = stderr.last()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "WARNING",
        "logger": "flaskllm.test_logs",
        "request_id": "req_1",
        "principal": "tok_1",
        "event": "limit_reached",
        "peer": "10.0.0.1",
        "seconds": 1.5,
    }


def test_a_line_outside_a_request_says_so_with_nulls(stderr):
    logs.configure("INFO", "json", None)

    log.info("started")

    assert stderr.last()["request_id"] is None
    assert stderr.last()["principal"] is None


def test_clear_ends_the_context(stderr):
    logs.configure("INFO", "json", None)
    logs.bind(request_id="req_1", principal="tok_1", secret=SECRET)
    logs.clear()

    log.info("said %s", SECRET)

    assert stderr.last()["request_id"] is None
    assert SECRET in stderr.last()["event"]


def test_plain_extras_are_fields_too(stderr):
    """Rooms that log with `extra` need not know `event`."""
    logs.configure("INFO", "json", None)

    log.warning("usage_not_recorded", extra={"deployment": "mini", "request_id": "r1"})

    assert stderr.last()["deployment"] == "mini"
    assert stderr.last()["request_id"] == "r1"


def test_a_field_cannot_replace_what_the_line_itself_says(stderr):
    logs.configure("INFO", "json", None)
    logs.bind(request_id="req_1")

    logs.event(log, logging.INFO, "tried", level="FORGED", request_id="forged")

    assert (stderr.last()["level"], stderr.last()["request_id"]) == ("INFO", "req_1")


def test_on_a_terminal_lines_are_for_people(stderr):
    stderr.tty()
    logs.configure("INFO", "auto", None)
    logs.bind(request_id="req_1")

    logs.event(log, logging.INFO, "attempt_ended", code="OK", cached=False, why="a b")

    line = stderr.lines()[-1]
    stamp, rest = line.split("] ", 1)
    assert stamp.startswith("[2")
    assert rest == (
        "[INFO] [flaskllm.test_logs] [req_1] - attempt_ended "
        'code=OK cached=false why="a b"'
    )


def test_a_text_line_outside_a_request_has_a_dash(stderr):
    logs.configure("INFO", "text", None)

    log.info("started")

    assert stderr.lines()[-1].endswith("[flaskllm.test_logs] [-] - started")


def test_lines_below_the_level_are_not_written(stderr):
    logs.configure("WARNING", "json", None)

    log.info("started")

    assert stderr.getvalue() == ""


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_traceback_is_on_the_same_line_without_secrets(stderr, form):
    logs.configure("INFO", form, None, [SECRET])
    try:
        raise ValueError(f"no key {SECRET}\nforged line")
    except ValueError as error:
        logs.event(log, logging.ERROR, "request_failed", error=error)

    (line,) = stderr.lines()
    assert "Traceback" in line
    assert "ValueError: no key ***" in line


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize(
    "sign", ["\n", "\r", "\x1b[2J", "\x9b", "\u2028", "\u202e", "\x7f"]
)
def test_no_sign_breaks_a_line_or_reaches_the_terminal(stderr, form, sign):
    logs.configure("INFO", form, None)

    log.info("one%stwo", sign)
    logs.event(log, logging.INFO, "x", field=f"one{sign}two")

    assert len(stderr.lines()) == 2
    assert sign not in stderr.getvalue().replace("\n", "", 2) or sign == "\n"


def test_a_json_line_stays_json_whatever_stands_in_it(stderr):
    logs.configure("INFO", "json", None)

    log.info("\x7f\ud800\x00\"'\\")

    assert stderr.last()["event"].endswith("\"'\\")


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize(
    "written",
    [
        pytest.param(str, id="as it is"),
        pytest.param(lambda s: json.dumps({"key": s}), id="in JSON"),
        pytest.param(lambda s: repr(s.encode()), id="bytes"),
        pytest.param(lambda s: urllib.parse.quote(s, safe=""), id="percent"),
        pytest.param(lambda s: urllib.parse.quote(s), id="percent in a path"),
        pytest.param(lambda s: urllib.parse.quote(s, safe="").lower(), id="lower"),
        pytest.param(
            lambda s: urllib.parse.urlencode({"key": s}), id="in a query string"
        ),
        *[
            pytest.param(
                lambda s, before=before, encode=encode: encode(
                    (before + s).encode()
                ).decode(),
                id=f"{encode.__name__} after {len(before)}",
            )
            for before in ("", "a", "ab", "user:", "x" * 7)
            for encode in (base64.b64encode, base64.urlsafe_b64encode)
        ],
    ],
)
def test_a_secret_is_masked_in_every_form(stderr, form, written):
    secret = SECRET.lower()
    logs.configure("INFO", form, None, [secret])
    text = written(secret)

    logs.event(log, logging.INFO, f"sent {text}", header=text)

    assert stderr.getvalue().count(MASK) == 2
    assert secret not in stderr.getvalue()


def test_a_secret_that_comes_later_is_masked_from_then_on(stderr):
    redactor = logs.configure("INFO", "json", None)
    redactor.add(SECRET)

    log.info("got %s", SECRET)

    assert stderr.last()["event"] == "got ***"


def test_the_caller_s_own_token_is_masked_in_its_request(stderr):
    logs.configure("INFO", "json", None)
    logs.bind(secret=SECRET)

    log.info("got %s", SECRET)

    assert stderr.last()["event"] == "got ***"


def test_a_broken_sink_never_fails_the_caller(stderr):
    logs.configure("INFO", "json", None, [SECRET])

    log.info("%d", SECRET)

    assert stderr.lines() == ["a log line of flaskllm.test_logs could not be written"]


def test_even_a_closed_stderr_never_fails_the_caller(monkeypatch):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    logs.configure("INFO", "json", None)

    log.info("started")


def test_a_file_that_cannot_be_opened_never_fails_the_caller(stderr, tmp_path):
    (tmp_path / "no folder").touch()
    logs.configure("INFO", "json", tmp_path / "no folder" / "a.log")

    log.info("started")

    assert "could not be written" in stderr.getvalue()
    assert '"event":"started"' in stderr.getvalue()


def test_a_file_gets_the_same_lines_and_is_private(stderr, tmp_path):
    file = tmp_path / "flaskllm.log"
    stderr.tty()
    logs.configure("INFO", "auto", file, [SECRET])

    assert not file.exists()
    log.info("got %s", SECRET)

    assert json.loads(file.read_text())["event"] == "got ***"
    assert "got ***" in stderr.getvalue()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_an_open_file_is_closed_to_others_again(stderr, tmp_path):
    file = tmp_path / "flaskllm.log"
    file.touch(0o644)
    logs.configure("INFO", "json", file)

    log.info("started")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_servers_and_libraries_log_through_us_without_paths_and_statements(stderr):
    logs.configure("DEBUG", "json", None)
    logging.getLogger("gunicorn.error").info("Listening")
    logging.getLogger("gunicorn.access").info("GET /secret?key=1")
    logging.getLogger("werkzeug").info("GET /secret?key=1")
    logging.getLogger("sqlalchemy.engine").info("SELECT 1")
    logging.getLogger("urllib3.connectionpool").debug("GET /x")

    assert [json.loads(line)["event"] for line in stderr.lines()] == ["Listening"]


def test_one_dictionary_can_configure_several_times(stderr):
    config = logs.dict_config("INFO", "json", None, Redactor([SECRET]))
    with suppress(KeyError):
        logging.config.dictConfig(config)
    logging.config.dictConfig(config)

    log.info("got %s", SECRET)

    assert [json.loads(line)["event"] for line in stderr.lines()] == ["got ***"]
