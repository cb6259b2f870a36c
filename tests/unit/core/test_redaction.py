"""What makes a line safe to write."""

from hypothesis import example, given
from hypothesis import strategies as st

from flaskllm.core.redaction import MASK, Redactor, escape, forms_of


def test_a_secret_inside_a_longer_one_leaves_nothing_of_either():
    redactor = Redactor(["abcdefgh", "abcdefghijkl"])

    assert redactor.redact("x abcdefghijkl y") == "x *** y"


def test_a_very_short_secret_is_not_masked():
    """A local server's key is often the word "none"."""
    assert Redactor(["none"]).redact("none of them") == "none of them"


@given(st.text(min_size=6), st.text(max_size=5), st.text(max_size=5))
@example("a\nb\nc\nd", "", "")
def test_no_sealed_line_holds_a_secret(secret, before, after):
    sealed = Redactor([secret]).redact(escape(before + secret + after))

    assert secret not in sealed.replace(MASK, "")
    assert len(sealed.splitlines()) <= 1


@given(st.text())
def test_escaping_leaves_one_line_that_utf_8_can_hold(text):
    escaped = escape(text)

    assert len(escaped.splitlines()) <= 1
    assert len(escaped.encode("utf-8")) >= len(text)


@given(st.text(min_size=1, alphabet="ab+/=% \u00e9"))
def test_forms_made_once_mask_a_secret_in_passing(secret):
    forms = forms_of(secret)

    assert secret not in Redactor().redact(secret, forms).replace(MASK, "")
    assert sorted(forms, key=len, reverse=True) == list(forms)
