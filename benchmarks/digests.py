"""Print what digests of meetings and threads take, and how fast transcripts are read.

    python benchmarks/digests.py [FOLDER]

The model is a function of this process: it answers each question at once with one fact
for every twenty turns that it is shown, with its true quote, so that all tokens but
those of the answers are those of a real model. FOLDER (else FLASKLLM_TEST_SAMPLES)
holds QMSum meetings as `qmsum-*.json` for the last table.
"""

import json
import os
import random
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import rouge
from extractive import Meeting, load
from mail_threads import show_threads

from flaskllm import inputs
from flaskllm.core.clock import Deadline, SystemClock
from flaskllm.llm.catalog import OFFLINE
from flaskllm.llm.fitting import Sizes
from flaskllm.llm.outlook import Prospect
from flaskllm.llm.prompts import load_library
from flaskllm.llm.providers.extractive import Extractive
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
from flaskllm.services.digests.types import DigestOrder, DigestResult

LENGTHS = (1_000, 5_000, 15_000, 60_000)
WINDOWS = (8_192, 32_768, 131_072)
TURNS = 10_000
_TURN_WORDS = 24
_TURNS_PER_FACT = 20
_REFERENCE = datetime(2026, 1, 5, 9, tzinfo=UTC)
_BOX = Deployment("small", "box", "vllm", "scripted-1")
_TURN = re.compile(r"^\[(t\d+)[^\]]*\]\n([^\n]+)", re.MULTILINE)
_WORDS = """
    budget report office north contract sign review offer north bridge school library
    plan deliver printer garden market engine ticket letter window river station
""".split()  # noqa: SIM905


@dataclass
class Scripted:
    """A model with a window, asked in this process; it counts what it is asked."""

    window: int
    usages: list[Usage] = field(default_factory=list)

    def complete(self, request: CompletionRequest, call: Call) -> Answer:
        """Answer with one fact for every twenty turns, and with prose."""
        prompt = "\n".join(str(message.content) for message in request.messages)
        text = json.dumps({"points": list(_facts(prompt)), "summary": {"short": "It."}})
        usage = Usage(estimate(prompt), output_text=estimate(text), source="provider")
        self.usages.append(usage)
        completion = Completion(text, "stop", usage, _BOX.model)
        return Answer(completion, "scripted", _BOX, 1)

    def outlook(self, request: CompletionRequest, call: Call) -> tuple[Prospect, ...]:
        """Tell of the one deployment."""
        deployment = replace(_BOX, context_window=self.window)
        sizes = Sizes(request)
        room = sizes.room(deployment)
        return (Prospect("scripted", deployment, sizes.of(deployment), room),)


class Offline:
    """The extractive provider in the place of a router."""

    def complete(self, request: CompletionRequest, call: Call) -> Answer:
        """Answer in sentences of the source."""
        return Answer(Extractive().answer(request), "offline", OFFLINE, 1)

    def outlook(self, request: CompletionRequest, call: Call) -> tuple[Prospect, ...]:
        """Tell of itself: nothing bounds it."""
        return (Prospect("offline", OFFLINE, is_local=True),)


def _facts(prompt: str) -> Iterator[dict[str, object]]:
    for turn, text in _TURN.findall(prompt)[::_TURNS_PER_FACT]:
        quote = text.split(". ")[0]
        yield {"text": quote, "evidence": {"quote": quote, "turn": turn}}


def write_meeting(turns: Sequence[tuple[str, str]]) -> bytes:
    """Return turns (speaker and words) as a Zoom transcript, four seconds each."""
    cues = (
        f"{number}\n{_stamp(number * 4)} --> {_stamp(number * 4 + 3)}\n{name}: {text}\n"
        for number, (name, text) in enumerate(turns, start=1)
    )
    return "\n".join(("WEBVTT\n", *cues)).encode()


def _stamp(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}.000"


def make_turns(words: int) -> list[tuple[str, str]]:
    """Return so many words of made-up speech, the same at every run."""
    dice = random.Random(words)
    count = words // _TURN_WORDS
    return [
        (
            ("Ada Quist", "Ben Ito", "Cem Aydin")[number % 3],
            f"Point {number} is {' '.join(dice.choices(_WORDS, k=_TURN_WORDS - 3))}.",
        )
        for number in range(count)
    ]


def digest(content: bytes, router: Scripted | Offline) -> DigestResult:
    """Return the summary of a transcript."""
    library = load_library()
    completions = Completions(lambda: router)  # type: ignore[arg-type]
    digests = Digests(completions, lambda: library, SystemClock())
    order = DigestOrder(content, media_type="text/vtt", reference_time=_REFERENCE)
    return digests.make(order, _call())


def _call() -> Call:
    clock = SystemClock()
    return Call(
        deadline=Deadline.after(3_600, clock),
        wait=clock.sleep,
        before=lambda attempt: None,
        after=lambda attempt, outcome: None,
    )


def show_tokens() -> Iterator[str]:
    """Yield the table of calls and tokens by length and window."""
    yield "| words | window | calls | tokens in | out | in per word | own time, s |"
    yield "|---|---|---|---|---|---|---|"
    for words in LENGTHS:
        content = write_meeting(make_turns(words))
        for window in WINDOWS:
            model = Scripted(window)
            started = time.perf_counter()
            digest(content, model)
            seconds = time.perf_counter() - started
            told = sum(usage.tokens_input for usage in model.usages)
            said = sum(usage.tokens_output for usage in model.usages)
            yield (
                f"| {words:,} | {window:,} | {len(model.usages)} | {told:,} | {said:,} "
                f"| {told / words:.2f} | {seconds:.2f} |"
            )


def show_parsing() -> str:
    """Return a line that tells how long many turns take to be read."""
    content = write_meeting(make_turns(TURNS * _TURN_WORDS))
    started = time.perf_counter()
    document = inputs.parse(content, media_type="text/vtt", source=None)
    seconds = time.perf_counter() - started
    megabytes = len(content) / 1e6
    return f"{len(document.parts):,} turns ({megabytes:.1f} MB): {seconds:.2f} s"


def show_extracts(meetings: Sequence[Meeting]) -> Iterator[str]:
    """Yield the table of what the whole pipeline makes of QMSum without a model."""
    yield "| meeting | words | ROUGE-1 F1 | ROUGE-2 F1 | ROUGE-L F1 | time, s |"
    yield "|---|---|---|---|---|---|"
    for meeting in meetings:
        turns = [(turn.speaker or "", turn.text) for turn in meeting.turns if turn.text]
        content = write_meeting(turns)
        started = time.perf_counter()
        result = digest(content, Offline())
        seconds = time.perf_counter() - started
        summary = result.digest.summary
        text = " ".join((summary.short, *summary.bullets)) if summary else ""
        scores = (
            rouge.rouge_n(text, meeting.reference, 1),
            rouge.rouge_n(text, meeting.reference, 2),
            rouge.rouge_l(text, meeting.reference),
        )
        cells = " | ".join(f"{score.f1:.3f}" for score in scores)
        words = sum(len(text.split()) for _, text in turns)
        yield f"| {meeting.name} | {words:,} | {cells} | {seconds:.2f} |"


def main() -> None:
    """Print the tables."""
    named = (
        sys.argv[1] if len(sys.argv) > 1 else os.environ.get("FLASKLLM_TEST_SAMPLES")
    )
    for line in show_tokens():
        print(line)
    print(f"\n{show_parsing()}\n")
    for line in (*show_threads(), ""):
        print(line)
    meetings = load(Path(named)) if named else []
    if meetings:
        for line in show_extracts(meetings):
            print(line)


if __name__ == "__main__":
    main()
