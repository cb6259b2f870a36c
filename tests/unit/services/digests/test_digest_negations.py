"""A quote that stops beside a negation proves nothing."""

from collections import Counter

import pytest
from digest_fakes import ground

from flaskllm.services.digests.answers import Proven, StatementAnswer
from flaskllm.services.digests.negations import is_cut_off
from flaskllm.services.digests.verify import check_evidence, check_statements


def cut(text, quote, language=None):
    start = text.index(quote)
    return is_cut_off(text, start, start + len(quote), language)


@pytest.mark.parametrize(
    ("text", "quote", "language"),
    [
        ("We will not ship on Friday.", "ship on Friday", "en"),
        ("We will never\n> ship on Friday.", "ship on Friday", "en"),
        ("We don\u2019t ship on Friday.", "ship on Friday", "en"),
        ("There is no budget for it.", "There is", "en"),
        ("Wir liefern am Freitag nicht.", "Wir liefern am Freitag", "de"),
        ("Es gibt keine Freigabe vom Amt.", "Freigabe vom Amt", "de"),
        ("Nous ne livrons pas vendredi.", "livrons", "fr"),
        ("Nous n'avons pas signé vendredi.", "signé vendredi", "fr"),
        ("No enviamos nada el viernes.", "enviamos nada", "es"),
        ("Nunca lo firmamos.", "lo firmamos", None),
        ("Non lo firmiamo mai in tempo.", "in tempo", "it"),
        ("Kein Vertrag liegt vor.", "Vertrag liegt vor", "xx"),
    ],
)
def test_the_nearest_word_on_either_side_counts(text, quote, language):
    assert cut(text, quote, language)


@pytest.mark.parametrize(
    ("text", "quote", "language"),
    [
        ("Finance approved 45, not 40.", "Finance approved 45", "en"),
        ("No. Ship on Friday.", "Ship on Friday", "en"),
        ("It is sixteen. No questions.", "It is sixteen.", "en"),
        ("Certainly not\n\nShip on Friday", "Ship on Friday", "en"),
        ("We will not ship on Friday.", "We will not ship", "en"),
        ("Wir treffen uns im Mai wieder.", "Wir treffen uns im", "de"),
        ("Knot tied on Friday", "tied on Friday", "en"),
    ],
)
def test_a_pause_or_a_blank_line_parts_the_negation_from_the_quote(
    text, quote, language
):
    assert not cut(text, quote, language)


def test_a_fact_and_a_label_with_such_a_quote_are_not_kept():
    made = ground("We are not happy about it. We will not ship on Friday.")
    counts = Counter()
    told = {"text": "They ship", "evidence": {"quote": "ship on Friday"}}

    facts = check_statements([StatementAnswer.model_validate(told)], made, counts)
    label = {"evidence": {"quote": "happy about it"}}
    evidence = check_evidence(Proven.model_validate(label), made, counts)

    assert facts == ()
    assert evidence.verified is False
    assert counts["quote_not_in_source"] == 2
