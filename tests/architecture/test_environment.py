"""One module reads the environment of the process."""

import ast
import re

import pytest
from source_tree import as_source, package_files

READER = "flaskllm/core/config.py"
# Every way to read it. A WSGI request has an `environ` too, which is none.
READING = re.compile(
    r"os\.(environb?|getenvb?)"
    r"|(.*\.)?(expanduser|expandvars|getpass|getuser|getproxies|load_dotenv)"
    r"|(.*\.)?Path\.home"
    r"|.*envvar.*"
)


def test_one_module_reads_the_environment():
    readers = {file.path for file in package_files() if reads_environment(file)}

    assert readers == {READER}


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("import os\nos.environ['A']", True),
        ("from os import getenv", True),
        ("import getpass", True),
        ("from urllib.request import getproxies", True),
        ("Path('~').expanduser()", True),
        ("Path.home()", True),
        ("click.option('--a', envvar='A')", True),
        ("def f(environ): return environ['A']", False),
        ("request.environ.get('A')", False),
    ],
)
def test_each_way_to_read_it_is_known(text, reads):
    assert reads_environment(as_source("f.py", text)) is reads


def reads_environment(file):
    """Tell whether a file reads what its process was started with."""
    return any(READING.fullmatch(name) for name in names_used(file.tree))


def names_used(tree):
    """Yield what a file imports, looks up and passes by name, dotted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute):
            yield f"{ast.unparse(node.value)}.{node.attr}"
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg
