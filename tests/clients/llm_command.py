"""The `llm` command, told of the gateway by its file of further models."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml
from checks import Checks

check = Checks()

FOLDER = Path("llm-of-a-user").resolve()
LLM = shutil.which("llm") or str(Path(sys.executable).parent / "llm")
MODELS = [
    {
        "model_id": f"house-{model}",
        "model_name": model,
        "api_base": os.environ["OPENAI_BASE_URL"],
        "api_key_name": "house",
        "supports_schema": True,
        "supports_tools": True,
        "vision": True,
    }
    for model in ("open", "claude")
]


def llm(*arguments):
    """Return what the command prints."""
    done = subprocess.run(
        [LLM, *arguments],
        env={**os.environ, "LLM_USER_PATH": str(FOLDER)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@check
def its_models_are_listed():
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "extra-openai-models.yaml").write_text(yaml.safe_dump(MODELS))

    llm("keys", "set", "house", "--value", os.environ["OPENAI_API_KEY"])

    assert "house-open" in llm("models", "list")


@check
def a_prompt_is_answered_as_a_stream_and_whole():
    for model in ("house-open", "house-claude"):
        assert llm("-m", model, "Hallo 👋").strip() == "You said: Hallo 👋"
        told = llm("-m", model, "--no-stream", "Hallo 👋")
        assert told.strip() == "You said: Hallo 👋"


@check
def a_conversation_goes_on():
    llm("-m", "house-open", "One")

    assert llm("--continue", "Two").strip() == "You said: Two"


@check
def an_answer_has_a_schema():
    told = llm("-m", "house-open", "--schema", "name, population int", "Which?")

    assert json.loads(told) == {"name": "Ada", "population": 447_082}


@check
def a_tool_is_called():
    code = "def weather(city: str) -> str:\n    return f'sunny in {city}'\n"
    told = llm("-m", "house-open", "--functions", code, "How is it?")

    assert told.strip() == "The tools said: sunny in Zürich"


if __name__ == "__main__":
    check.run()
