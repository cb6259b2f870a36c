"""docs/reliability.md speaks of what is there."""

from doc_blocks import read_doc
from fault_scenes import SCENES

PAGE = read_doc("docs/reliability.md")


def section(heading):
    """Return the lines of the page's section."""
    _, _, rest = PAGE.partition(f"\n## {heading}\n")
    body, _, _ = rest.partition("\n## ")
    assert body, f"there is no section {heading}"
    return body.splitlines()


def test_it_has_a_row_for_every_scene():
    _head, _line, *rows = [
        line for line in section("Sixteen faults") if line.startswith("|")
    ]

    assert len(rows) == len(SCENES) == 16
