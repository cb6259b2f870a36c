"""The warnings of a digest: stable codes, with what happened and how often."""

from collections.abc import Iterable, Mapping
from typing import Any

from flaskllm.services.digests.ground import Ground
from flaskllm.services.digests.history import list_history
from flaskllm.services.digests.saying import Counts

_SENTENCES: Mapping[str, str] = {
    "quote_not_in_source": "{} without a quote in the source, dropped or unverified",
    "struck_out": "{} quote only what is struck out, dropped or unverified",
    "task_of_history": "{} open tasks stand only in quoted history, unverified",
    "keyword_not_in_source": "{} dropped",
    "entity_not_in_source": "{} dropped",
    "entity_kind_not_held": "{} called `other`",
    "owner_not_in_source": "{} taken off",
    "due_not_derivable": "{} taken off",
    "date_not_derivable": "{} taken off",
    "link_not_in_source": "{} taken out",
    "code_not_in_source": "{} taken out",
    "number_not_in_source": "{} texts hold a number that the source does not",
    "instruction_in_source_repeated": "{} dropped",
    "facts_left_out": "{} not told in the prose; the lists hold them",
    "summary_extracted": "the summary is sentences of the source",
    "facts_of_earlier_mails": "{} were proved in earlier mails of the thread, and do "
    "not stand in this one",
    "known_text_left_out": "{} characters were read with earlier mails of the thread, "
    "and not sent again",
    "earlier_facts_forgotten": "{} of the thread were too many to be kept",
    "thread_not_remembered": "it is no mail with a Message-ID, it is of a type whose "
    "facts are not put together, it stays local, or threads are not kept here",
}
_OBJECTIONS: Mapping[str, str] = {
    "language_not_as_asked": "the wording is in another language",
    "translation_number_missing": "it lost a number of the source",
    "translation_link_missing": "it lost a link or an address of the source",
    "translation_too_short": "a part of the source may be missing",
    "link_not_in_source": "a link or an address may not be of the source",
    "code_not_in_source": "a code may not be of the source",
    "number_not_in_source": "a number may not be of the source",
    "instruction_in_source_repeated": "a code may come from an instruction",
    "placeholder_unknown": "the model made up a placeholder; it was taken out",
}


def list_warnings(
    ground: Ground, counts: Counts, objections: Iterable[str], fields: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the warnings as `code: sentence`: the parser's, then the checks'.

    `objections` are the codes of what a repair could not mend; `fields` are those
    of the digest.
    """
    parsed = [f"{notice.code}: {notice.detail}" for notice in ground.document.warnings]
    checked = [
        f"{code}: {_SENTENCES[code].format(count)}"
        for code, count in counts.items()
        if count
    ]
    # What was objected to and then taken out is counted already.
    kept = [f"{code}: {_OBJECTIONS[code]}" for code in objections if not counts[code]]
    told = (
        *_left_out(ground),
        *_assumed(ground, fields),
        *list_history(fields, ground),
    )
    lines = (*parsed, *told, *checked, *kept)
    return tuple(dict.fromkeys(lines))


def list_failures(codes: Iterable[str]) -> tuple[str, ...]:
    """Return the warning that says why no model made all of a digest.

    `codes` are those of what went wrong before the extractive provider answered.
    """
    known = ", ".join(dict.fromkeys(codes))
    return (f"degraded: {known}",) if known else ()


def _left_out(ground: Ground) -> list[str]:
    characters = ground.flagged_characters()
    if not characters:
        return []
    return [f"instructions_in_source: {characters} characters kept from the model"]


def _assumed(ground: Ground, fields: Mapping[str, Any]) -> list[str]:
    """Return a line when days were counted from a moment that nobody gave."""
    has_days = any(item.due for item in fields.get("action_items", ())) or any(
        fact.date for fact in fields.get("dates", ())
    )
    if not ground.reference_is_assumed or not has_days:
        return []
    return [
        "reference_time_assumed: days are counted from the time of arrival; "
        "reference_time says another"
    ]
