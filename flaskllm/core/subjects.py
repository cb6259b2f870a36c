"""For whom money is counted: a principal, or a tag that several of them carry."""

import re

from flaskllm.core.auth import Principal

TAG_RULE = "1 to 40 of a-z, 0-9, dot, underscore, dash; the first a letter or digit"

_PRINCIPAL = "principal:"
_TAG = "tag:"
_SANE_TAG = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_SANE_ID = re.compile(r"[0-9A-Za-z]{1,40}")

SUBJECT_PATTERN = f"^({_PRINCIPAL}{_SANE_ID.pattern}|{_TAG}{_SANE_TAG.pattern})$"
"""What a subject looks like, for schemas."""


def is_tag(text: str) -> bool:
    """Tell whether the text may be a tag, see `TAG_RULE`."""
    return _SANE_TAG.fullmatch(text) is not None


def principal_subject(principal_id: str) -> str:
    """Return the subject of one principal, such as `principal:4fZk…`."""
    return f"{_PRINCIPAL}{principal_id}"


def tag_subject(tag: str) -> str:
    """Return the subject of a tag, such as `tag:accounting`."""
    return f"{_TAG}{tag}"


def subjects_of(principal: Principal) -> tuple[str, ...]:
    """Return whom the principal's money counts for: itself first, then its tags."""
    return (
        principal_subject(principal.id),
        *(tag_subject(tag) for tag in dict.fromkeys(principal.tags)),
    )


def principal_of(subject: str) -> str | None:
    """Return the principal's id in a subject; None in another, or when it is no id."""
    found = subject.removeprefix(_PRINCIPAL)
    return found if found != subject and _SANE_ID.fullmatch(found) else None


def tag_of(subject: str) -> str | None:
    """Return the tag in a subject; None in another, or when it is no tag."""
    found = subject.removeprefix(_TAG)
    return found if found != subject and is_tag(found) else None
