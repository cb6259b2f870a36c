"""The environment of the clients that we prove ourselves by; `make clients` fills it.

It is not ours: nothing of flaskllm is installed there, and its packages have a lock
of their own.
"""

import re
from pathlib import Path

from requirements import require
from source_tree import ROOT

_BIN = ROOT / ".venv-clients" / "bin"
PYTHON = _BIN / "python"
NODE = _BIN / "node"
_FILLED = _BIN.parent / "done"

_IMPORT = re.compile(
    r"^(?:from|import) (?:anthropic|instructor|langchain_\w+|llm|openai|pydantic_ai)\b",
    re.MULTILINE,
)


def uses_a_client(text: str) -> bool:
    """Tell whether a Python text imports one of the clients."""
    return bool(_IMPORT.search(text))


def client_python() -> Path:
    """Return the Python that has the clients; a machine without it skips."""
    if not _FILLED.exists():
        require("clients", "run `make clients`: it installs the clients")
    return PYTHON
