"""A hostile or broken file is told, never obeyed and never raised."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.config_yaml import parse, read

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=("Cs", "Cc", "Co", "Cn"))),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)
    ),
    max_leaves=10,
)


def only(text):
    parsed = parse(text, "f.yaml")
    (problem,) = parsed.problems
    return problem


@given(st.dictionaries(st.text("abc", min_size=1), PLAIN, max_size=4))
def test_what_yaml_writes_is_read_back(tree):
    text = yaml.safe_dump(tree, allow_unicode=True, default_flow_style=True)

    parsed = parse(text, "f.yaml")

    # A text such as 2024-10-21 is written in quotes, so it stays one.
    assert (parsed.values, parsed.problems) == (tree, [])


@given(st.text("{}[]:-!&*<?|>%@`'\"#, \n\tab0x._~é\x00", max_size=60))
def test_no_text_raises(text):
    parsed = parse(text, "f.yaml")

    assert isinstance(parsed.values, dict)


def test_lines_are_kept_for_every_path():
    parsed = parse("a:\n  - b: 1\n    c: 2\n  - 3\n", "f.yaml")

    assert parsed.lines == {"a": 1, "a.0": 2, "a.0.b": 2, "a.0.c": 3, "a.1": 4}


def test_dates_stay_text():
    assert parse("a: 2024-10-21", "f.yaml").values == {"a": "2024-10-21"}


@pytest.mark.parametrize(
    ("text", "path", "found"),
    [
        ("a: &x 1\nb: *x", "f.yaml", "line 2, column 4: an alias"),
        ("a: " + "[" * 30 + "]" * 30, "f.yaml", "line 1, column 19: more than 16"),
        ("a: " + "{a: " * 20 + "}" * 20, "f.yaml", "line 1, column 61: more than 16"),
        ("a: 1\n---\nb: 2", "f.yaml", "line 2, column 1: but found another document"),
        ("a: 'x", "f.yaml", "line 1, column 6: found unexpected end of stream"),
        ("a: \x07", "f.yaml", "a character that YAML does not allow"),
        ("[1]", "f.yaml", "no section at the top"),
        ("text", "f.yaml", "no section at the top"),
        ("a:\n  b: 1\n  b: 2", "a.b", "the same name twice"),
        ("b: 1\nb: 2", "b", "the same name twice"),
        ("1: x", "f.yaml", "a name that is no text"),
        ("a: {on: x}", "a", "a name that is no text"),
        (r'"\ud800": x', "f.yaml", "a name that is no text"),
        ("a: {<<: {b: 1}}", "a", "a name that is no text"),
        ("a: {? [1, 2] : x}", "a", "a name that is no text"),
        ("a: !!python/object/apply:os.system [ls]", "a", "a tag (!name)"),
        ("a: !!binary aGVsbG8=", "a", "a tag (!name)"),
        ("a: !!set {b, c}", "a", "a tag (!name)"),
        ("!x {a: 1}", "f.yaml", "a tag (!name)"),
        ("a: 0x_", "a", "a value that YAML cannot read"),
        ("a: !!bool maybe", "a", "a value that YAML cannot read"),
        ("a: " + "9" * 5000, "a", "a value that YAML cannot read"),
    ],
)
def test_what_can_do_harm_is_refused(text, path, found):
    problem = only(text)

    assert problem.path == path
    assert problem.found.startswith(found)


def test_the_first_of_two_equal_names_counts_and_the_place_of_the_second_is_told():
    parsed = parse("a: 1\nb: 2\na: 3", "f.yaml")

    assert parsed.values == {"a": 1, "b": 2}
    assert parsed.problems[0].origin == "f.yaml:3"


def test_a_problem_never_quotes_the_file():
    assert "geheim" not in only("api_key: 'geheim\n  geheim: [").text()


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "f.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1")

    assert read(path).values == {"a": 1}


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"a: \xff", "no UTF-8 at byte 3"),
        (b"#" * (1024 * 1024 + 1), "more than 1 MiB"),
    ],
)
def test_a_file_that_is_no_text_is_told(tmp_path, data, found):
    path = tmp_path / "f.yaml"
    path.write_bytes(data)

    (problem,) = read(path).problems

    assert (problem.path, problem.found) == (str(path), found)


def test_a_folder_is_no_file(tmp_path):
    (problem,) = read(tmp_path).problems

    assert problem.found.startswith("it cannot be read: ")
