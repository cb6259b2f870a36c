"""Logs: one line a record, with its request and its caller, and no secret.

A line is an event in the past tense and fields. Prompts and mails never come
here, only lengths and hashes. WARNING means degraded or refused; ERROR means a
request failed by our or the upstream's fault; CRITICAL means the service cannot
work.
"""

import json
import logging
import logging.config
import re
import sys
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import orjson
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonEncoder, JsonFormatter

from flaskllm.core.log_sinks import FileSink, LineHandler, Sink
from flaskllm.core.log_stderr import StderrSink
from flaskllm.core.redaction import Redactor, escape, forms_of

LogFormat = Literal["auto", "json", "text"]

_NO_EXTRAS = frozenset(RESERVED_ATTRS)
# For what the fast one does not take, and for what is not ASCII.
_ENCODER = JsonEncoder(separators=(",", ":"))
_PLAIN_VALUE = re.compile(r"[\w.,/:@+<>*-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Context:
    """Whose line it is.

    `secret_forms` are how a line may hold what this caller proved itself with.
    """

    request_id: str | None = None
    principal: str | None = None
    secret_forms: tuple[str, ...] = field(default=(), repr=False)


_NOTHING = _Context()
_context: ContextVar[_Context] = ContextVar("flaskllm_logs")


def configure(
    level: str, format: LogFormat, file: Path | None, secrets: Iterable[str] = ()
) -> Redactor:
    """Send all logs of this process to stderr, and to `file` when there is one.

    Args:
        level: The least level that is written, such as `INFO`.
        format: `auto` writes text for people on a terminal and JSON elsewhere.
        file: Made at the first line with mode 0600; ten MiB, then rotated.
        secrets: Values that no line may hold.

    Returns:
        The redactor of these logs, for secrets that come later.
    """
    redactor = Redactor(secrets)
    logging.config.dictConfig(dict_config(level, format, file, redactor))
    return redactor


def dict_config(
    level: str, format: LogFormat, file: Path | None, redactor: Redactor
) -> dict[str, Any]:
    """Return these logs as a `logging.config` dictionary; gunicorn takes it too."""
    on_terminal = format == "auto" and sys.stderr.isatty()
    sinks: dict[str, list[Sink]] = {"text": [], "json": []}
    sinks["text" if on_terminal or format == "text" else "json"].append(StderrSink())
    if file is not None:
        sinks["text" if format == "text" else "json"].append(FileSink(str(file)))
    handlers = {
        form: {"()": LineHandler, "formatter": form, "sinks": wanted}
        for form, wanted in sinks.items()
        if wanted
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {"()": _TextLines, "redactor": redactor},
            "json": {"()": _JsonLines, "redactor": redactor},
        },
        "handlers": handlers,
        "root": {"level": level, "handlers": list(handlers)},
        "loggers": {
            # At DEBUG it would log the path of every request as it came.
            "gunicorn.error": {
                "level": "INFO" if level == "DEBUG" else level,
                "handlers": [],
                "propagate": True,
            },
            # Servers log raw paths and queries; our own line per request does not.
            "gunicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": True},
            "werkzeug": {"level": "WARNING"},
            # Statements and addresses of the libraries below us are for debuggers.
            "sqlalchemy": {"level": "WARNING"},
            "alembic": {"level": "WARNING"},
            # It quotes the upstream's own text at WARNING.
            "urllib3": {"level": "ERROR"},
        },
    }


def event(
    logger: logging.Logger,
    level: int,
    name: str,
    /,
    *,
    error: BaseException | None = None,
    **fields: object,
) -> None:
    """Write one line: what happened, in the past tense, and its facts.

    Example:
        `event(logger, logging.INFO, "attempt_ended", code="OK", seconds=1.2)`
    """
    if not logger.isEnabledFor(level):
        return
    trace = (type(error), error, error.__traceback__) if error else None
    # As `logger.log`, but for the search for the calling line, which we never show.
    record = logger.makeRecord(
        logger.name, level, "", 0, name, (), trace, extra={"fields": fields}
    )
    logger.handle(record)


def bind(
    *,
    request_id: str | None = None,
    principal: str | None = None,
    secret: str | None = None,
) -> None:
    """Put what is given on every later line of this context, until `clear`.

    `secret` never shows: it is masked in those lines.
    """
    bound = _bound()
    _context.set(
        _Context(
            bound.request_id if request_id is None else request_id,
            bound.principal if principal is None else principal,
            # Here, once: making the forms costs more than writing a line.
            forms_of(secret) if secret else bound.secret_forms,
        )
    )


def clear() -> None:
    """Forget what was bound. Threads are reused, so each request ends with it."""
    _context.set(_NOTHING)


def _bound() -> _Context:
    return _context.get(_NOTHING)


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    """Return what each line says, in reading order."""
    context = _bound()
    moment = datetime.fromtimestamp(record.created, UTC)
    own: dict[str, Any] = {
        "timestamp": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname,
        "logger": record.name,
        "request_id": context.request_id,
        "principal": context.principal,
        "event": record.getMessage(),
    }
    for name, value in _extras(record).items():
        if own.get(name) is None:
            own[name] = value
    return own


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    """Return the fields of an `event`, or what a plain call gave as `extra`."""
    attributes = vars(record)
    fields: dict[str, Any] | None = attributes.get("fields")
    if fields is not None:
        return fields
    return {name: attributes[name] for name in attributes if name not in _NO_EXTRAS}


def _in_ascii(facts: dict[str, Any], **_: object) -> str:
    try:
        line = orjson.dumps(facts)
    except TypeError:
        return _ENCODER.encode(facts)
    return line.decode("ascii") if line.isascii() else _ENCODER.encode(facts)


class _JsonLines(JsonFormatter):
    """One JSON object a line, in ASCII, for machines."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__(json_serializer=_in_ascii)
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, safe to write."""
        facts = _facts(record)
        if record.exc_info:
            facts["exception"] = self.formatException(record.exc_info)
        return _seal(self.serialize_log_record(facts), self._redactor)


class _TextLines(logging.Formatter):
    """`[TIMESTAMP] [LEVEL] [MODULE] [REQUEST_ID] - message`, for people."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, safe to write."""
        facts = _facts(record)
        if record.exc_info:
            facts["exception"] = self.formatException(record.exc_info)
        names = ("timestamp", "level", "logger", "request_id")
        head = " ".join(f"[{facts.pop(name) or '-'}]" for name in names)
        name = facts.pop("event")
        shown = [
            f"{key}={_show(value)}" for key, value in facts.items() if value is not None
        ]
        return _seal(" ".join([head, "-", name, *shown]), self._redactor)


def _seal(line: str, redactor: Redactor) -> str:
    """Return `line` as one line without a secret, the caller's own included."""
    return redactor.redact(escape(line), _bound().secret_forms)


def _show(value: object) -> str:
    """Return `value` so that spaces and quotes in it cannot look like fields."""
    if isinstance(value, str) and _PLAIN_VALUE.fullmatch(value):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
