"""Each dependency has its reason, and the locks pin all of them by hash."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from source_tree import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = PYPROJECT["project"]
GROUPS = PYPROJECT["dependency-groups"]
WANTED = {
    "requirements.lock": [*PROJECT["dependencies"], *GROUPS["build"]],
    "requirements-dev.lock": [
        *PROJECT["dependencies"],
        *GROUPS["build"],
        *GROUPS["dev"],
    ],
}
LOCKS = pytest.mark.parametrize("lock", WANTED)


def read_lock(name):
    """Return each pinned requirement with its hashes; refuse any other line."""
    text = (ROOT / name).read_text("utf-8").replace("\\\n", "")
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    split = [line.split(" --hash=sha256:") for line in lines if line]
    return {
        canonicalize_name(Requirement(pin).name): (
            Requirement(pin),
            [each.strip() for each in hashes],
        )
        for pin, *hashes in split
    }


def pinned_version(requirement):
    """Return the one version that a pinned requirement allows."""
    (only,) = requirement.specifier
    assert only.operator == "==", requirement
    return only.version


def versions_in(lock):
    """Return the pinned version of each package."""
    return {name: pinned_version(pin) for name, (pin, _) in read_lock(lock).items()}


def test_each_direct_dependency_has_its_reason_and_no_other():
    text = (ROOT / "docs/decisions/0001-dependencies.md").read_text("utf-8")
    rows = re.findall(r"^\| ([a-z0-9, -]+) \| (.+) \|$", text, re.MULTILINE)[1:]

    explained = [name for names, reason in rows if reason for name in names.split(", ")]
    wanted = [Requirement(each).name for each in PROJECT["dependencies"]]
    assert sorted(explained) == sorted(wanted)


@LOCKS
def test_every_requirement_is_pinned_by_hash(lock):
    pins = read_lock(lock)

    assert len(pins) >= len(WANTED[lock])
    for requirement, hashes in pins.values():
        assert pinned_version(requirement)
        assert hashes
        assert all(re.fullmatch(r"[0-9a-f]{64}", each) for each in hashes)


@LOCKS
def test_no_lock_says_where_packages_come_from(lock):
    text = (ROOT / lock).read_text("utf-8")

    assert "://" not in text
    assert not re.search(r"^\s*(-i|-f|--(?!hash=sha256:))", text, re.MULTILINE)


@LOCKS
def test_the_lock_satisfies_what_is_asked_for(lock):
    pins = read_lock(lock)
    unmet = [
        wanted
        for wanted in map(Requirement, WANTED[lock])
        if canonicalize_name(wanted.name) not in pins
        or pinned_version(pins[canonicalize_name(wanted.name)][0])
        not in wanted.specifier
    ]

    assert unmet == []


def test_both_locks_pin_the_same_versions():
    less, dev = (versions_in(name) for name in WANTED)

    assert less.items() <= dev.items()
