"""For whom money is counted."""

from dataclasses import replace

import pytest

from flaskllm.core.auth import BOOTSTRAP
from flaskllm.core.subjects import (
    is_tag,
    principal_of,
    principal_subject,
    subjects_of,
    tag_of,
    tag_subject,
)

ANN = replace(BOOTSTRAP, id="4fZkQ81mNb2c", tags=("sales", "eu", "sales"))


@pytest.mark.parametrize("tag", ["a", "7", "team-1.b_c", "a" * 40])
def test_a_sane_tag(tag):
    assert is_tag(tag)
    assert tag_of(tag_subject(tag)) == tag


@pytest.mark.parametrize(
    "tag", ["", "-a", ".a", "A", "ä", "a b", "a" * 41, "a\n", "a\x00", "a:b", "a/b"]
)
def test_no_tag(tag):
    assert not is_tag(tag)
    assert tag_of(tag_subject(tag)) is None


def test_money_counts_for_the_principal_and_once_for_each_of_its_tags():
    assert subjects_of(ANN) == ("principal:4fZkQ81mNb2c", "tag:sales", "tag:eu")
    assert subjects_of(BOOTSTRAP) == ("principal:bootstrap",)


def test_a_subject_is_of_one_kind():
    assert principal_of(principal_subject("4fZkQ81mNb2c")) == "4fZkQ81mNb2c"
    assert principal_of("tag:sales") is None
    assert tag_of("principal:sales") is None


@pytest.mark.parametrize(
    "text", ["", "sales", "principal:", "principal:a\x00", "principal:" + "a" * 41]
)
def test_a_text_that_is_no_subject(text):
    assert principal_of(text) is None
    assert tag_of(text) is None
