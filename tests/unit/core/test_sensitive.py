"""What a text holds is told by rules and counts; nothing an operator writes hangs."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.config_privacy import PrivacySettings
from flaskllm.core.sensitive import LOCAL, RULE_NAMES, Rules, strictest
from flaskllm.core.sensitive_patterns import (
    LONGEST_PATTERN,
    UnsafePatternError,
    compile_pattern,
)
from flaskllm.core.sensitive_words import is_spaced, words_pattern

HEALTH = [
    "The biopsy was clear.",
    "Wir haben die Diagnose erhalten: KREBS.",
    "Elle est enceinte.",
    "Trae la receta  médica.",
    "multiple\nsclerosis",
]


def test_each_rule_tells_how_often_it_matched_and_no_text():
    text = "Card 4111 1111 1111 1111, IBAN DE89370400440532013000, SSN 123-45-6789."

    found = Rules().find([text, "The biopsy. Another biopsy."])

    assert found == {"payment_card": 1, "iban": 1, "national_id": 1, "health": 2}


def test_only_rules_in_force_are_asked():
    assert Rules(built_in=("iban",)).find(["4111 1111 1111 1111"]) == {}


@pytest.mark.parametrize("text", HEALTH)
def test_words_of_health_are_found_in_four_languages(text):
    assert set(Rules().find([text])) == {"health"}


@pytest.mark.parametrize("text", ["I am sick of it.", "biopsychology", "Krebstier"])
def test_parts_of_words_and_daily_talk_are_no_health_words(text):
    assert Rules().find([text]) == {}


def test_wide_and_invisible_signs_hide_nothing():
    wide = "４１１１ 1111 1111 1111"
    parted = "bio\u200bpsy"

    assert Rules().find([wide, parted]) == {"payment_card": 1, "health": 1}


def test_an_operator_adds_patterns_and_words():
    settings = PrivacySettings(
        patterns={"ticket": r"PRJ-\d{4,8}"},
        words={"deal": ("Project Falcon", "übernahme", "併購")},
    )

    found = settings.compiled().find(
        ["PRJ-12345: project  falcon, ÜBERNAHME; 進行併購中"]
    )

    assert found == {"ticket": 1, "deal": 3}


def test_a_rule_of_an_operator_has_a_name_of_its_own():
    with pytest.raises(ValueError, match="no other rule"):
        PrivacySettings(patterns={"iban": "x"})


@pytest.mark.parametrize(
    "pattern",
    [
        r"PRJ-\d{4,8}",
        r"(?i)codename (?:falcon|heron)",
        r"\b[A-Z]{2}\d{6}[A-Z]?\b",
        r"(?<=id: )\w{1,40}(?!\w)",
        r"(?>a{1,9})b",
        r"a{1,9}+b{2}?",
        r"(?P<name>x)y{1,3}?",
    ],
)
def test_a_pattern_whose_repetitions_are_bounded_is_accepted(pattern):
    assert compile_pattern(pattern).pattern == pattern


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"(a+)+b", "how often at most"),
        (r"\w*@", "how often at most"),
        (r"a{2,}", "how often at most"),
        (r"x.{300}", "how often at most"),
        (r"(?:a|a){9}b", "ways"),
        (r"(?:a{1,9}){1,9}b", "ways"),
        (r"a{1,40}a{1,40}b", "ways"),
        (r"(?:ab?){1,12}", "ways"),
        (r"(?=a{1,40}b{1,40})ab", "ways"),
        (r"(a)\1", "own groups"),
        (r"(a)?b(?(1)c|d)", "own groups"),
        (r"a?", "no empty text"),
        (r"(?=a)", "no empty text"),
        (r"(", "regular expression"),
        ("a" * (LONGEST_PATTERN + 1), "characters"),
    ],
)
def test_a_pattern_that_could_take_long_is_refused_with_the_reason(pattern, why):
    with pytest.raises(UnsafePatternError, match=why):
        compile_pattern(pattern)


def test_a_refused_pattern_is_refused_with_the_settings():
    with pytest.raises(ValueError, match="how often at most"):
        PrivacySettings(patterns={"mine": "(a+)+b"})


def test_the_worst_pattern_that_is_accepted_is_quick():
    pattern = compile_pattern(r"(?:a|a){7}a{1,2}b")
    started = time.process_time()

    assert pattern.search("a" * 20_000) is None

    assert time.process_time() - started < 2


@given(st.lists(st.sampled_from(["ignore", "local", None]), max_size=4))
def test_the_strictest_of_all_holds(wanted):
    assert (strictest(*wanted) == LOCAL) is (LOCAL in wanted)


def test_without_words_nothing_is_found():
    assert words_pattern([" "]).search("anything") is None


@pytest.mark.parametrize(("sign", "spaced"), [("a", 1), ("ế", 1), ("ж", 1), ("併", 0)])
def test_scripts_without_spaces_are_known(sign, spaced):
    assert is_spaced(sign) is bool(spaced)


def test_the_names_of_the_rules_are_those_of_the_settings():
    assert PrivacySettings().rules == RULE_NAMES
    assert all(re.fullmatch("[a-z_]+", name) for name in RULE_NAMES)
