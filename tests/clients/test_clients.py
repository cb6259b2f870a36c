"""Clients that people use work unchanged: they get an address and an API token.

Each script is a table of checks over one of them and runs in `.venv-clients`, which
`make clients` fills.
"""

from collections.abc import Iterator

import pytest
from client_venv import NODE, PYTHON, client_python
from gateway import Gateway, open_gateway
from source_tree import ROOT

SCRIPTS = {
    "openai_chat.py": PYTHON,
    "openai_errors.py": PYTHON,
    "openai_responses.py": PYTHON,
    "openai_texts.py": PYTHON,
    "anthropic_errors.py": PYTHON,
    "anthropic_messages.py": PYTHON,
    "langchain_models.py": PYTHON,
    "pydantic_ai_agents.py": PYTHON,
    "instructor_models.py": PYTHON,
    "llm_command.py": PYTHON,
    "node/openai_checks.mjs": NODE,
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway over the scripted models."""
    client_python()
    with open_gateway(tmp_path_factory.mktemp("clients")) as opened:
        yield opened


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_client_works_unchanged(script: str, gateway: Gateway):
    runner = SCRIPTS[script]

    done = gateway.run(str(runner), str(ROOT / "tests" / "clients" / script))

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ok ") > 3
    assert gateway.faults() == []
