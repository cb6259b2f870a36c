"""No file of the project holds what belongs to one machine or one registry."""

import re

import pytest
from source_tree import ROOT, project_files

# Patterns, so that this file does not hold what it looks for.
FORBIDDEN = {
    "a package registry": r"pypi\.(org|io)|python[h]osted|npm[j]s\.|crates\.i[o]\b"
    r"|proxy\.golan[g]\.org|anacond[a]\.(org|com)|rubygem[s]\.org",
    "where to install from": r"--(extra-)?index-[u]rl|--find-[l]inks|PIP_INDEX_[U]RL",
    "a folder of one machine": r"(?<![\w.])/(root|work)/"
    r"|/(home|Users)/(?!(YOUR_NAME|me|old)\b)\w|[A-Z]:\\Users",
    "who made it": r"(?i)\bco-authored-[b]y\b|\bgenerated (with|by) [A-Z]",
    "something that looks like a credential": r"\bsk-[A-Za-z0-9]{2}[A-Za-z0-9-]{30,}"
    r"|\bghp_\w{30,}|\bAKIA[0-9A-Z]{16}\b|-----BEGIN (\w+ )?PRIVATE KEY-----",
}


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_no_file_holds(kind):
    pattern = re.compile(FORBIDDEN[kind])
    found = [
        f"{name}:{number}: {match[0]}"
        for name in project_files()
        for number, line in enumerate(read_lines(name), start=1)
        if (match := pattern.search(line))
    ]

    assert found == []


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("a package registry", "https://" + "py" + "pi.org/simple"),
        ("where to install from", "--index" + "-url x"),
        ("a folder of one machine", "see /ro" + "ot/.cache"),
        ("a folder of one machine", "/ho" + "me/ada/x"),
        ("who made it", "Co-Authored" + "-By: x"),
    ],
)
def test_each_is_found_where_it_stands(kind, line):
    assert re.search(FORBIDDEN[kind], line)


def read_lines(name):
    """Return the lines of a file; bytes that are no text are left out."""
    return (ROOT / name).read_text("utf-8", errors="ignore").splitlines()
