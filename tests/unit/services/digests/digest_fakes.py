"""Documents, grounds and a scripted router for the tests of the digest services."""

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from flaskllm.core.clock import Deadline, SystemClock
from flaskllm.inputs.document import Document, Origin, Part, Person
from flaskllm.llm.catalog import OFFLINE
from flaskllm.llm.fitting import Sizes
from flaskllm.llm.outlook import Prospect
from flaskllm.llm.providers.extractive import Extractive
from flaskllm.llm.types import Answer, Call, Completion, Deployment, Usage
from flaskllm.services.digests.ground import Ground

# A Monday.
REFERENCE = datetime(2026, 10, 5, 9, 0, tzinfo=timezone(timedelta(hours=2)))
ADA = Person("Ada Quist", "ada@example.com", "from")
BEN = Person("Ben Ito", "ben@example.org", "to")
BOX = Deployment("small", "box", "vllm", "scripted-1")
COST = Usage(input_uncached=10, output_text=3, source="provider")


def part(text, part_id="p1", kind="body", speaker=None, start_ms=None):
    """Return one part that stands at the beginning of its source."""
    return Part(part_id, kind, text, Origin("", 0, len(text)), speaker, start_ms)


def ground(
    *parts,
    people=(ADA, BEN),
    language="en",
    source_language="en",
    kind="email",
    warnings=(),
):
    """Return the ground of parts; a bare text is the body `p1`."""
    made = tuple(part(each) if isinstance(each, str) else each for each in parts)
    document = Document(kind, made, tuple(people), warnings=tuple(warnings))
    return Ground.of(document, REFERENCE, language, source_language)


def answer(text, deployment=BOX, usage=COST, finish_reason="stop"):
    """Return an answer; anything but text is written as JSON."""
    said = text if isinstance(text, str) else json.dumps(text)
    completion = Completion(said, finish_reason, usage, deployment.model)
    return Answer(completion, "scripted", deployment, 1)


class ScriptedRouter:
    """Says one line of its script after the other; an error in it is raised.

    The alias `offline` is answered by the real extractive provider, as is
    everything else once the script is None.
    """

    def __init__(self, *script, window=None):
        self.script = list(script)
        self.requests = []
        self.window = window

    def complete(self, request, call=None):
        self.requests.append(request)
        if request.model == "offline" or self.script == [None]:
            completion = Extractive().answer(request)
            return Answer(completion, "offline", OFFLINE, 1)
        line = self.script.pop(0)
        if isinstance(line, Exception):
            raise line
        return line if isinstance(line, Answer) else answer(line)

    def outlook(self, request, call=None):
        """Tell of the deployment that answers; its window is `window`."""
        if request.model == "offline" or self.script == [None]:
            return (Prospect("offline", OFFLINE, is_local=True),)
        deployment = replace(BOX, context_window=self.window)
        sizes = Sizes(request)
        room = sizes.room(deployment)
        return (Prospect("scripted", deployment, sizes.of(deployment), room),)

    def prompt(self, index):
        """Return all that the model read in its request number `index`."""
        return "\n".join(message.content for message in self.requests[index].messages)


def call():
    """Return a call that nobody watches."""
    clock = SystemClock()
    return Call(
        deadline=Deadline.after(60, clock),
        wait=clock.sleep,
        before=lambda attempt: None,
        after=lambda attempt, outcome: None,
    )
