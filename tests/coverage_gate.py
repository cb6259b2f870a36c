"""Hold the files on which safety rests to full branch coverage.

Run after the suite, on the report that it wrote: `coverage.json`. The gate over
all files together stands in `pyproject.toml`.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FULL = (
    "flaskllm/core/addresses.py",
    "flaskllm/core/auth.py",
    "flaskllm/core/errors.py",
    "flaskllm/core/redaction.py",
    "flaskllm/net/",
    "flaskllm/llm/providers/",
    "flaskllm/llm/line.py",
    "flaskllm/llm/patience.py",
    "flaskllm/llm/retry.py",
    "flaskllm/llm/router.py",
    "flaskllm/llm/telling.py",
    "flaskllm/llm/walk.py",
    "flaskllm/services/callbacks/schedule.py",
    "flaskllm/services/callbacks/signing.py",
    "flaskllm/services/claims.py",
    "flaskllm/services/digests/answers.py",
    "flaskllm/services/digests/quotes.py",
    "flaskllm/services/digests/verify.py",
    "flaskllm/services/idempotency.py",
    "flaskllm/services/request_prints.py",
    "flaskllm/api/errors.py",
    "flaskllm/api/guard.py",
    "flaskllm/api/validation.py",
    "flaskllm/api/v1/webhook",  # the request models and all that reads a document
)
"""Files, or what their paths begin with."""


def find_gaps(files: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each file that must be covered whole and is not.

    `files` is the part of that name in coverage's report.
    """
    for prefix in FULL:
        matching = {
            name: each for name, each in files.items() if name.startswith(prefix)
        }
        if not matching:
            yield f"{prefix}: not in the report"
        for name, measured in sorted(matching.items()):
            lines, branches = measured["missing_lines"], measured["missing_branches"]
            if lines or branches:
                yield f"{name}: lines {lines}, branches {branches}"


def main() -> None:
    """Print the gaps and end with status 1 when there are any."""
    gaps = list(find_gaps(json.loads(Path("coverage.json").read_text())["files"]))
    sys.stdout.writelines(f"not fully covered: {gap}\n" for gap in gaps)
    sys.exit(bool(gaps))


if __name__ == "__main__":
    main()
