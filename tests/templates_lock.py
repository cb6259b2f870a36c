"""Renew `templates.lock`, which pins each built-in prompt: `make lock-templates`.

A text that changed keeps its meaning for nobody, so its version must be raised:
the lock is not renewed before that is done.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from flaskllm.llm.prompts import Library, load_library

LOCK = Path(__file__).parents[1] / "flaskllm/llm/templates/templates.lock"

Pins = Mapping[str, Mapping[str, object]]


def read_lock(path: Path = LOCK) -> Pins:
    """Return what is pinned: version and SHA-256 of each template's file."""
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def pin(library: Library) -> Pins:
    """Return what the lock must say of these templates."""
    return {
        name: {"version": template.front.version, "sha256": template.sha256}
        for name, template in sorted(library.templates.items())
    }


def find_unraised(pinned: Pins, now: Pins) -> Iterator[str]:
    """Yield the templates whose text changed while their version did not rise."""
    for name in sorted(pinned.keys() & now.keys()):
        before, after = pinned[name], now[name]
        changed = before["sha256"] != after["sha256"]
        if changed and after["version"] <= before["version"]:
            yield name


def renew(path: Path, library: Library) -> tuple[str, ...]:
    """Write the lock, unless a version must be raised first; return those templates."""
    now = pin(library)
    unraised = tuple(find_unraised(read_lock(path), now))
    if not unraised:
        path.write_text(json.dumps(now, indent=2) + "\n", "utf-8")
    return unraised


def main() -> None:
    """Renew the lock of the built-in templates, or end with what to do first."""
    unraised = renew(LOCK, load_library())
    if unraised:
        sys.exit(f"raise `version` first in: {', '.join(unraised)}")


if __name__ == "__main__":
    main()
