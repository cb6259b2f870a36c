"""What the mails of a thread take, one after the other: remembered, and each alone.

    python benchmarks/mail_threads.py

Each mail says 120 new words, among them three facts, and quotes all before it. The
model is a function of this process that finds the facts in what is not quoted.
"""

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flaskllm.core.clock import Deadline, SystemClock
from flaskllm.core.ids import random_base62
from flaskllm.core.secrets import KeyRing
from flaskllm.llm.fitting import Sizes
from flaskllm.llm.outlook import Prospect
from flaskllm.llm.prompts import load_library
from flaskllm.llm.tokens import estimate
from flaskllm.llm.types import (
    Answer,
    Call,
    Completion,
    CompletionRequest,
    Deployment,
    Usage,
)
from flaskllm.services.completions import Completions
from flaskllm.services.digests.pipeline import Digests
from flaskllm.services.digests.threads import Audience, Threads
from flaskllm.services.digests.types import DigestOrder
from flaskllm.storage.database import Database
from flaskllm.storage.sealing import ContentSealer
from flaskllm.storage.threads import ThreadRows

MAILS = 30
SHOWN = (1, 2, 5, 10, 15, 20, 25, 30)
_FACTS_OF_MAIL = 3
_SENTENCES = 12
_START = datetime(2026, 1, 5, 9, tzinfo=UTC)
_BOX = Deployment("small", "box", "vllm", "scripted-1")
_OWN = re.compile(r"^\[(p\d+) \| body\]\n(.*?)(?=^\[p\d+ \||\Z)", re.M | re.S)
_FACT = re.compile(r"Task \d+ is to [^.]+\.")
_WORDS = """
    budget report office north contract sign review offer bridge school library plan
    deliver printer garden market engine ticket letter window river station
""".split()  # noqa: SIM905


@dataclass
class Reader:
    """A truthful model; it counts the tokens that it is sent."""

    tokens: int = 0
    clock: SystemClock = field(default_factory=SystemClock)

    def complete(self, request: CompletionRequest, call: Call) -> Answer:
        """Answer with the tasks of a mail's own text, and with prose."""
        prompt = "\n".join(message.text for message in request.messages)
        self.tokens += estimate(prompt)
        told = {"action_items": list(_tasks(prompt)), "summary": {"short": "It."}}
        text = json.dumps(told)
        usage = Usage(estimate(prompt), output_text=estimate(text), source="provider")
        completion = Completion(text, "stop", usage, _BOX.model)
        return Answer(completion, "scripted", _BOX, 1)

    def outlook(self, request: CompletionRequest, call: Call) -> tuple[Prospect, ...]:
        """Tell of the one deployment, whose window is not known."""
        sizes = Sizes(request)
        return (Prospect("scripted", _BOX, sizes.of(_BOX), sizes.room(_BOX)),)


def _tasks(prompt: str) -> Iterator[dict[str, object]]:
    for part, text in _OWN.findall(prompt):
        for quote in _FACT.findall(text):
            yield {"task": quote, "evidence": {"quote": quote, "part": part}}


def write_mails(count: int) -> list[bytes]:
    """Return so many mails of one thread, the same at every run."""
    dice = random.Random(count)
    text, mails = "", []
    for number in range(1, count + 1):
        sent = _START + timedelta(days=number)
        quoted = "\n".join(f"> {line}" for line in text.split("\n"))
        before = sent - timedelta(days=1)
        said = "\n".join(_says(number, dice))
        heading = f"On {before:%a, %d %b %Y at %H:%M}, Ada <ada@example.com> wrote:"
        text = said if number == 1 else f"{said}\n\n{heading}\n{quoted}"
        head = (
            "From: Ada <ada@example.com>\nTo: ben@example.org\nSubject: The plan\n"
            f"Message-ID: <m{number}@example.com>\nReferences: <m1@example.com>\n"
            f"Date: {sent:%a, %d %b %Y %H:%M:%S} +0000\n\n"
        )
        mails.append(f"{head}{text}".encode())
    return mails


def _says(number: int, dice: random.Random) -> Iterator[str]:
    for at in range(_SENTENCES):
        words = " ".join(dice.choices(_WORDS, k=6))
        task = number * _FACTS_OF_MAIL + at
        yield (
            f"Task {task} is to {words}."
            if at < _FACTS_OF_MAIL
            else f"We said on day {number} that {words}."
        )


def take(mails: Sequence[bytes], threads_of: Audience | None) -> tuple[list[int], int]:
    """Return how many tokens each mail took, and how many tasks the last one tells."""
    clock, reader, taken = SystemClock(), Reader(), []
    keys = KeyRing(random_base62(32), Path(), when_missing="make_in_memory")
    sealer = ContentSealer(keys)
    database = Database("sqlite://", journal="truncate", clock=clock, sealer=sealer)
    threads = Threads(ThreadRows(database, clock), keys, timedelta(days=30))
    library = load_library()
    completions = Completions(lambda: reader)  # type: ignore[arg-type,return-value]
    digests = Digests(completions, lambda: library, clock, threads=threads)
    tasks = 0
    for content in mails:
        before = reader.tokens
        order = DigestOrder(content, media_type="message/rfc822")
        result = digests.make(order, _call(clock), threads_of=threads_of)
        tasks = len(result.digest.action_items)
        taken.append(reader.tokens - before)
    database.close()
    return taken, tasks


def _call(clock: SystemClock) -> Call:
    return Call(
        deadline=Deadline.after(3_600, clock),
        wait=clock.sleep,
        before=lambda attempt: None,
        after=lambda attempt, outcome: None,
    )


def show_threads() -> Iterator[str]:
    """Yield the table of tokens by the place of a mail in its thread."""
    mails = write_mails(MAILS)
    known, tasks = take(mails, Audience("anna"))
    alone, own_tasks = take(mails, None)
    yield "| mail of the thread | tokens in, remembered | tokens in, alone |"
    yield "|---|---|---|"
    for number in SHOWN:
        yield f"| {number} | {known[number - 1]:,} | {alone[number - 1]:,} |"
    yield f"| all {MAILS} | {sum(known):,} | {sum(alone):,} |"
    yield f"| tasks that the last one tells | {tasks} | {own_tasks} |"


if __name__ == "__main__":
    for line in show_threads():
        print(line)
