"""Messages: an event as people like to read it, for every rendering; pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flaskllm.services.callbacks.events import Event, EventType
from flaskllm.services.callbacks.plain_text import line, lines

LONGEST_TITLE: Final = 120
LONGEST_LINE: Final = 300
_LONGEST_PARAGRAPH = 1000
_MOST_PARAGRAPHS = 8
_MOST_LINES = 15

_Data = Mapping[str, Any]
_Found = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of ours and its lines. A heading may be empty."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """What people read. All texts are safe and short.

    Attributes:
        title: A few words of ours.
        subject: The title, and what it is about: one line.
        lead: Paragraphs.
        sections: Lists; none of them is empty.
        context: Small print.
    """

    title: str
    subject: str
    lead: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    context: tuple[str, ...] = ()

    def shortened(self, most_lines: int) -> "Message":
        """Return it with so many lines to a section at most."""
        sections = tuple(
            _section(s.heading, s.lines, most_lines) for s in self.sections
        )
        lead = self.lead[:most_lines]
        return Message(self.title, self.subject, lead, sections, self.context)


def message_of(event: Event) -> Message:
    """Return an event as a message."""
    return _MESSAGES[event.type](event.data)


def _message(
    title: str,
    lead: str,
    sections: Iterable[tuple[str, Iterable[str]]] = (),
    context: Iterable[str] = (),
) -> Message:
    """Return a message from texts of anybody."""
    safe = lines(lead, _LONGEST_PARAGRAPH, _MOST_PARAGRAPHS)
    about = f"{title}: {' '.join(lead.split())}" if safe else title
    found = [
        _section(heading, [line(each, LONGEST_LINE) for each in texts], _MOST_LINES)
        for heading, texts in sections
    ]
    return Message(
        title,
        line(about, LONGEST_TITLE),
        safe,
        tuple(section for section in found if section.lines),
        tuple(line(each, LONGEST_LINE) for each in context),
    )


def _section(heading: str, texts: Iterable[str], most: int) -> Section:
    found = [each for each in texts if each]
    if len(found) > most:
        # The last line may be one of ours already, that tells of some more.
        found = [*found[: most - 1], f"… and {len(found) - most + 1} more"]
    return Section(heading, tuple(found))


def _job_done(data: _Data) -> Message:
    result = data["result"]
    answer, meta = result["data"], result["meta"]
    digest = answer["digest"]
    return _message(
        _title(answer["type"], digest["kind"]),
        _lead(answer),
        _sections(digest),
        (*_making(meta), f"Job {data['id']}"),
    )


_KINDS = {"email": "Mail", "meeting": "Meeting", "chat": "Chat", "document": "Document"}
_TITLES = {
    "action_items": "Action items",
    "reply": "Draft of a reply",
    "keywords": "Keywords",
    "entities": "Names, places and amounts",
    "sentiment": "Sentiment",
    "classification": "Classification",
    "translation": "Translation",
}


def _title(type: str, kind: str) -> str:
    of_kind = f"{_KINDS[kind]} digest" if kind in _KINDS else "Digest"
    return _TITLES.get(type, of_kind)


def _lead(answer: _Data) -> str:
    digest = answer["digest"]
    if digest["summary"]:
        return str(digest["summary"]["short"])
    # That of action items is the list which follows as a section.
    return "" if digest["action_items"] else str(answer["text"])


def _sections(digest: _Data) -> Iterator[tuple[str, Iterable[str]]]:
    yield "", (digest["summary"] or {}).get("bullets", ())
    yield "Action items", map(_action_item, digest["action_items"])
    yield "Decisions", map(_statement, digest["decisions"])
    yield "Open questions", map(_statement, digest["open_questions"])
    yield "Risks", map(_statement, digest["risks"])


def _action_item(item: _Found) -> str:
    due = item["due"] or item["due_text"]
    told = [
        item["owner"] or "nobody named",
        f"due {due}" if due else "",
        "" if item["status"] == "open" else item["status"],
    ]
    return _proven(f"{item['task']} ({', '.join(filter(None, told))})", item)


def _statement(item: _Found) -> str:
    return _proven(item["text"], item)


def _proven(text: str, item: _Found) -> str:
    return text if item["evidence"]["verified"] else f"{text} [not verified]"


def _making(meta: _Data) -> Iterator[str]:
    yield f"Made by {meta['provider']}, {meta['model']}"
    if meta["degraded"]:
        yield "Not all of it was made by a model"
    if meta["warnings"]:
        yield f"Warnings: {len(meta['warnings'])}"


def _job_failed(data: _Data) -> Message:
    error = data["error"] or {}
    lead = f"{error.get('error') or 'It was not done.'} ({error.get('code')})"
    return _message("Digest failed", lead, (), (f"Job {data['id']}",))


def _batch_done(data: _Data) -> Message:
    items, counts = data["items"], data["counts"]
    done, total = counts.get("done", 0), sum(counts.values())
    others = [item for item in items if item["state"] != "done"]
    return _message(
        "Batch done" if data["state"] == "done" else f"Batch {data['state']}",
        f"{done} of {total} digests were made.",
        (
            ("Digests", map(_item_done, [each for each in items if each["result"]])),
            ("Not made", map(_item_failed, others)),
        ),
        (f"Job {data['id']}",),
    )


def _item_done(item: _Found) -> str:
    answer = item["result"]["data"]
    return f"{item['number']}: {_lead(answer) or answer['text']}"


def _item_failed(item: _Found) -> str:
    return f"{item['number']}: {item['error_code'] or item['state']}"


def _endpoint_disabled(data: _Data) -> Message:
    endpoint = data["endpoint"]
    lead = f"The endpoint {endpoint['name']} gets no more messages: {data['reason']}"
    return _message("Endpoint disabled", lead, (), (f"Endpoint {endpoint['id']}",))


def _endpoint_test(data: _Data) -> Message:
    endpoint = data["endpoint"]
    lead = f"Messages for the endpoint {endpoint['name']} arrive here."
    return _message("Test message", lead, (), (f"Endpoint {endpoint['id']}",))


_MESSAGES: Mapping[EventType, Callable[[_Data], Message]] = {
    "job.done": _job_done,
    "job.failed": _job_failed,
    "batch.done": _batch_done,
    "endpoint.disabled": _endpoint_disabled,
    "endpoint.test": _endpoint_test,
}
