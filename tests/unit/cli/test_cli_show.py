"""A digest on a terminal: every fact with its proof, and nothing that forges one."""

import pytest
from click import unstyle

from flaskllm.cli.show import show
from flaskllm.services.digests.types import (
    ActionItem,
    Digest,
    Evidence,
    Statement,
    Summary,
)

MAIL = Evidence("Please\n pay.", True, part="p1", offset=11, length=11)
TURN = Evidence("I pay.", True, None, "t2", "Ada", 3_725_000, 0, 6)
NOWHERE = Evidence("", False)
FULL = Digest(
    language="en",
    kind="email",
    summary=Summary("All good.", ("One.",)),
    action_items=(
        ActionItem("Pay", "Ben", "2026-10-09", "Friday", "open", MAIL),
        ActionItem("Call", None, None, "soon", "done", TURN),
        ActionItem("Wait", None, None, None, "retracted", NOWHERE),
    ),
    decisions=(Statement("We stop.", MAIL),),
    open_questions=(Statement("Why?", MAIL),),
    risks=(Statement("Rain.", TURN),),
    warnings=("due_not_derivable: 1 taken off",),
)
ITEMS = [
    "",
    "Action items",
    "  - Pay  [Ben, due: 2026-10-09]",
    "      proven: “Please pay.” (p1, at 11)",
    "  - Call  [nobody named, due: soon, done]",
    "      proven: “I pay.” (t2 62:05, Ada, at 0)",
    "  - Wait  [nobody named, due: no date, retracted]",
    "      NOT proven: “” (nowhere in the source)",
]
WARNINGS = ["", "Warnings", "  due_not_derivable: 1 taken off"]


def shown(kind, digest, text="the text"):
    return [unstyle(line) for line in show(kind, text, digest.to_json())]


def test_a_summary_shows_all_its_facts():
    assert shown("summary", FULL) == [
        "All good.",
        "",
        "  - One.",
        *ITEMS,
        "",
        "Decisions",
        "  - We stop.",
        "      proven: “Please pay.” (p1, at 11)",
        "",
        "Open questions",
        "  - Why?",
        "      proven: “Please pay.” (p1, at 11)",
        "",
        "Risks",
        "  - Rain.",
        "      proven: “I pay.” (t2 62:05, Ada, at 0)",
        *WARNINGS,
    ]


def test_action_items_need_no_summary():
    digest = Digest("en", "email", action_items=FULL.action_items)

    assert shown("action_items", digest) == ITEMS


@pytest.mark.parametrize("kind", ["keywords", "translation", "custom", "sentiment"])
def test_other_types_show_their_text_and_the_warnings(kind):
    assert shown(kind, FULL) == ["the text", *WARNINGS]


def test_an_empty_digest_shows_nothing():
    assert shown("summary", Digest("en", "email")) == []


def test_nothing_to_do_is_said():
    assert shown("action_items", Digest("en", "email")) == ["No action items."]
