import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).parents[3] / "benchmarks" / "rouge.py"


@pytest.fixture(scope="module")
def rouge():
    spec = importlib.util.spec_from_file_location("rouge", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# The sentences of Lin's paper (2004, section 3): S1 is the reference.
S1 = "police killed the gunman"
S2 = "police kill the gunman"
S3 = "the gunman kill police"
S4 = "the gunman police killed"


@pytest.mark.parametrize(
    ("found", "expected"), [(S2, 0.75), (S3, 0.5), (S4, 0.5)], ids=["S2", "S3", "S4"]
)
def test_rouge_l_is_that_of_the_paper(rouge, found, expected):
    score = rouge.rouge_l(found, S1)

    assert score.precision == score.recall == score.f1 == expected


@pytest.mark.parametrize(("found", "common"), [(S2, 1), (S3, 1), (S4, 2)])
def test_rouge_2_counts_pairs_of_words(rouge, found, common):
    assert rouge.rouge_n(found, S1, 2).recall == pytest.approx(common / 3)


def test_a_repeated_word_counts_as_often_as_in_both(rouge):
    score = rouge.rouge_n("the the the", "The cat, the dog!", 1)

    assert (score.precision, score.recall) == (2 / 3, 0.5)
    assert score.f1 == pytest.approx(4 / 7)


def test_nothing_in_common_scores_nothing(rouge):
    for found, wanted in (("a", "b"), ("", "b"), ("a", ""), ("", "")):
        assert rouge.rouge_n(found, wanted, 1).f1 == 0
        assert rouge.rouge_l(found, wanted).f1 == 0


def test_words_are_folded_and_punctuation_is_dropped(rouge):
    assert rouge.tokenise("Don't—STOP, Zoë_2!") == ["don", "t", "stop", "zoë", "2"]
