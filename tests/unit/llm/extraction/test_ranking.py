import pytest

from flaskllm.llm.extraction.ranking import choose, rank
from flaskllm.llm.extraction.reading import Sentence

# Three sentences share their words with each other, the fourth with nobody.
TOPIC = [
    "The budget of the launch campaign rises because printing costs more",
    "Printing the launch campaign posters costs most of the budget",
    "Our campaign budget pays printing posters and launch films",
    "Yesterday somebody parked his bicycle before our kitchen window",
]


def sentence(text, *, shown=True, terms=None):
    words = text.lower().split()
    found = tuple(terms or [word for word in words if len(word) > 3])
    return Sentence("p", None, text, "en", found, (), len(words), shown)


def sentences(*texts):
    return [sentence(text) for text in texts]


def texts(chosen):
    return [each.text for each in chosen]


def test_sentences_that_share_words_recommend_each_other():
    scores, likeness = rank(sentences(*TOPIC))

    assert scores.argmin() == 3
    assert scores.sum() == pytest.approx(1)
    assert likeness[0, 3] == 0
    assert likeness[0, 0] == pytest.approx(1)


def test_the_weight_is_that_of_textrank():
    pair = [sentence("a", terms="abc"), sentence("b", terms="bcd")]

    scores, likeness = rank(pair)

    assert scores.tolist() == [0.5, 0.5]
    assert likeness[0, 1] == pytest.approx(2 / 3)


def test_the_best_comes_first_and_the_stranger_stays_out():
    chosen = texts(choose(sentences(*TOPIC), 20))

    assert len(chosen) == 2
    assert TOPIC[3] not in chosen


def test_the_words_of_the_summary_are_bounded():
    many = sentences(*(f"{line} number{n}" for n in range(20) for line in TOPIC))

    for words in (15, 50, 200):
        chosen = choose(many, words)
        assert 0 < sum(each.length for each in chosen) <= words


def test_a_summary_leaves_out_half_of_the_words():
    chosen = choose(sentences(*TOPIC), 1000)

    assert sum(each.length for each in chosen) <= 40 / 2


def test_a_repeated_sentence_is_taken_once():
    repeated = sentences(*TOPIC[:3], *TOPIC[:3], *TOPIC[:3])

    assert len(set(texts(choose(repeated, 1000)))) == len(choose(repeated, 1000))


def test_what_is_not_shown_recommends_but_is_not_picked():
    hidden = [sentence(text, shown=False) for text in TOPIC[:2]]

    chosen = choose([*hidden, *sentences(*TOPIC[2:])], 12)

    assert texts(chosen) == [TOPIC[2]]


def test_of_equal_sentences_the_shown_one_is_kept():
    quoted = sentence(TOPIC[0], shown=False)

    chosen = choose([quoted, *sentences(*TOPIC)], 12)

    assert all(each.shown for each in chosen)


def test_fragments_and_breathless_speech_are_passed_over():
    breathless = " ".join(TOPIC * 2)
    chosen = choose(sentences("Budget campaign", breathless, *TOPIC[:3]), 1000)

    assert set(texts(chosen)) <= set(TOPIC)


def test_fragments_are_taken_when_there_is_nothing_else():
    assert texts(choose(sentences("Budget approved", "Campaign over now"), 9)) == [
        "Budget approved"
    ]


def test_the_shortest_is_taken_when_none_fits():
    assert texts(choose(sentences(*TOPIC), 3)) == [TOPIC[2]]


def test_a_text_without_terms_still_has_a_sentence():
    assert texts(choose([sentence("Ok so be it", terms=["-"])], 9)) == ["Ok so be it"]


def test_nothing_shown_gives_nothing():
    assert choose([], 100) == []
    assert choose([sentence(TOPIC[0], shown=False)], 100) == []


def test_only_the_best_connected_thousand_are_ranked():
    strangers = [
        sentence(
            f"alone {n} on this far island of {n}", terms=[f"a{n}", f"b{n}", f"c{n}"]
        )
        for n in range(1200)
    ]

    chosen = choose([*strangers, *sentences(*TOPIC[:3])], 20)

    assert set(texts(chosen)) <= set(TOPIC)
