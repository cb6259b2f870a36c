"""What meeting tools hand out as JSON: people said things at times.

Shapes as the tools' own pages show them: Fireflies' GraphQL and its download,
Fathom's and Read AI's webhooks, tl;dv's and Vexa's API, the entries of Google
Meet's REST API, and the metadata of Teams' transcripts with Stream's download.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from flaskllm.inputs.document import Notice, Person
from flaskllm.inputs.transcripts.cues import Cue
from flaskllm.inputs.transcripts.json_values import (
    Talk,
    at,
    clock,
    cue,
    first_of,
    label,
    milliseconds,
    moment,
    name_of,
    objects,
    people,
    since,
)


def read_fireflies(value: Any) -> Talk:
    """Return the talk of Fireflies' `sentences`, or of the list it downloads."""
    sentences = objects(value) or objects(value, "sentences")
    named = at(value, "meeting_attendees"), at(value, "participants")
    return Talk(
        [each for item in sentences for each in _fireflies_cue(item)],
        people(*named, at(value, "organizer_email")),
        moment(first_of(value, "dateString", "date")),
    )


def _fireflies_cue(item: dict[str, Any]) -> Iterator[Cue]:
    speaker = name_of(item.get("speaker_name")) or label(item.get("speaker_id"))
    start = milliseconds(first_of(item, "start_time", "startTime"), 1000)
    end = milliseconds(first_of(item, "end_time", "endTime"), 1000)
    yield from cue(first_of(item, "text", "raw_text", "sentence"), speaker, start, end)


def read_fathom(value: Any) -> Talk:
    """Return the talk of Fathom's webhook: speakers, invitees, `HH:MM:SS`."""
    items = objects(value, "transcript")
    cues = [
        each
        for item in items
        for each in cue(
            item.get("text"),
            name_of(at(item, "speaker", "display_name")),
            clock(item.get("timestamp")),
            None,
        )
    ]
    speakers = [
        {
            "name": at(item, "speaker", "display_name"),
            "email": at(item, "speaker", "matched_calendar_invitee_email"),
        }
        for item in items
    ]
    return Talk(
        cues,
        people(speakers, at(value, "calendar_invitees"), at(value, "recorded_by")),
        moment(first_of(value, "recording_start_time", "scheduled_start_time")),
    )


def read_read_ai(value: Any) -> Talk:
    """Return the talk of Read AI's webhook: blocks with times since 1970."""
    blocks = objects(value, "transcript", "speaker_blocks")
    began_at = moment(blocks[0].get("start_time")) if blocks else None
    cues = [
        each
        for block in blocks
        for each in cue(
            block.get("words"),
            name_of(at(block, "speaker", "name")),
            since(began_at, block.get("start_time")),
            since(began_at, block.get("end_time")),
        )
    ]
    named = people(at(value, "participants"), at(value, "owner"))
    return Talk(cues, named, moment(at(value, "start_time")) or began_at)


def read_tldv(value: Any) -> Talk:
    """Return the talk of tl;dv's transcript: `startTime` in seconds."""
    cues = [
        each
        for item in objects(value, "data")
        for each in cue(
            item.get("text"),
            name_of(item.get("speaker")),
            milliseconds(item.get("startTime"), 1000),
            milliseconds(item.get("endTime"), 1000),
        )
    ]
    named = people(at(value, "invitees"), at(value, "organizer"))
    return Talk(cues, named, moment(at(value, "happenedAt")))


def read_vexa(value: Any) -> Talk:
    """Return the talk of Vexa's segments: seconds since the bot listens."""
    cues = [
        each
        for item in objects(value, "segments")
        for each in cue(
            item.get("text"),
            name_of(item.get("speaker")),
            milliseconds(first_of(item, "start_time", "start"), 1000),
            milliseconds(first_of(item, "end_time", "end"), 1000),
        )
    ]
    return Talk(
        cues, people(at(value, "participants")), moment(at(value, "start_time"))
    )


def read_meet_entries(value: Any) -> Talk:
    """Return the talk of Google Meet's entries.

    An entry names its participant by a resource only. Where the caller sent the
    conference's `participants` along, these say who it is; the others are
    numbered in the order in which they speak.
    """
    entries = objects(value) or objects(first_of(value, "transcriptEntries", "entries"))
    known = {each.get("name"): _meet_name(each) for each in _meet_people(value)}
    numbers: dict[Any, str] = {}
    began_at = moment(entries[0].get("startTime")) if entries else None
    cues: list[Cue] = []
    for entry in entries:
        resource = entry.get("participant")
        speaker = known.get(resource) if isinstance(resource, str) else None
        if speaker is None and isinstance(resource, str) and resource:
            speaker = numbers.setdefault(resource, f"Participant {len(numbers) + 1}")
        start = since(began_at, entry.get("startTime"))
        cues += cue(
            entry.get("text"), speaker, start, since(began_at, entry.get("endTime"))
        )
    detail = f"Speakers whose names the transcript does not hold: {len(numbers)}."
    warnings = (Notice("speakers_unnamed", detail),) if numbers else ()
    named = tuple(Person(name, None, "participant") for name in known.values() if name)
    return Talk(cues, named, began_at, warnings)


def _meet_people(value: Any) -> list[dict[str, Any]]:
    return [
        each
        for each in objects(value, "participants")
        if isinstance(each.get("name"), str)
    ]


def _meet_name(participant: dict[str, Any]) -> str | None:
    kinds = ("signedinUser", "anonymousUser", "phoneUser")
    names = (name_of(at(participant, kind, "displayName")) for kind in kinds)
    return next((name for name in names if name), None)


def read_teams(value: Any) -> Talk:
    """Return the talk of Teams' metadata, or of what Stream downloads.

    The first has the times of day at which something was said, the second
    offsets from the start of the recording.
    """
    items = objects(value) or objects(value, "entries")
    began_at = moment(items[0].get("startDateTime")) if items else None
    return Talk(
        [each for item in items for each in teams_cue(item, began_at)],
        began_at=began_at,
    )


def teams_cue(item: dict[str, Any], began_at: Any = None) -> Iterator[Cue]:
    """Yield what one object of Teams says."""
    starts = since(began_at, item.get("startDateTime")), clock(item.get("startOffset"))
    ends = since(began_at, item.get("endDateTime")), clock(item.get("endOffset"))
    speaker = name_of(first_of(item, "speakerName", "speakerDisplayName"))
    for each in cue(first_of(item, "spokenText", "text"), speaker, None, None):
        start, end = _first(starts), _first(ends)
        yield replace(each, start_ms=start, end_ms=None if start is None else end)


def _first(times: tuple[int | None, int | None]) -> int | None:
    return next((time for time in times if time is not None), None)
