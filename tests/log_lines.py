"""The lines that our own code has logged, whatever the libraries log besides."""

import logging

import pytest


def ours(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return the records of our loggers, oldest first."""
    return [line for line in caplog.records if line.name.startswith("flaskllm")]
