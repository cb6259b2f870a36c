"""How the tests of the configuration write a file and read what is wrong with it."""

import pytest

from flaskllm.core.config import ConfigError, load


def write(folder, text, name="flaskllm.yaml"):
    """Return the path of a file with this text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def problems(environ, folder):
    """Return everything that loading complains of."""
    with pytest.raises(ConfigError) as caught:
        load(environ, folder)
    return caught.value.problems


def only(environ, folder):
    """Return the one thing that loading complains of."""
    (problem,) = problems(environ, folder)
    return problem
