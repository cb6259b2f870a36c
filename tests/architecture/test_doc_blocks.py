"""Code blocks are found as Markdown has them."""

import pytest
from doc_blocks import Block, find_blocks


def test_blocks_are_found_in_order_with_their_line_and_kind():
    text = "# A\n\n```sh\nls\n\npwd\n```\ntext\n~~~json\n{}\n~~~\n"

    assert list(find_blocks("a.md", text)) == [
        Block("a.md", 3, "sh", "ls\n\npwd\n"),
        Block("a.md", 9, "json", "{}\n"),
    ]


def test_a_block_in_a_list_loses_the_indentation_of_its_fence():
    text = "1. Do\n\n   ```yaml\n   a:\n     b: 1\n   ```\n"

    assert [each.text for each in find_blocks("a.md", text)] == ["a:\n  b: 1\n"]


def test_a_longer_fence_holds_a_shorter_one():
    text = "````markdown\n```sh\nls\n```\n````\n"

    assert [each.text for each in find_blocks("a.md", text)] == ["```sh\nls\n```\n"]


def test_code_within_a_line_is_no_block():
    assert list(find_blocks("a.md", "Say ```sh ls``` and `ls`.\n")) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("```sh\nls\n", "never closed"),
        ("```sh\nls\n~~~\n", "never closed"),
        ("```\nls\n```\n", "say what is in the block"),
    ],
)
def test_a_block_that_cannot_be_run_is_an_error(text, told):
    with pytest.raises(ValueError, match=f"a.md:1: .*{told}"):
        list(find_blocks("a.md", text))
