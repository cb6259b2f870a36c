"""Print how the extractive provider compares with the first 200 words of a meeting.

    python benchmarks/extractive.py [FOLDER]

FOLDER holds QMSum meetings (`transcripts/qmsum-*.json`, or the files themselves);
without it FLASKLLM_TEST_SAMPLES names it. The reference of a meeting is all its
general and specific answers, joined. Marks of noise (`{vocalsound}`) are taken
out of the speech for both. benchmarks/README.md holds the last figures.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import rouge

from flaskllm.llm.providers.extractive import Extractive
from flaskllm.llm.types import CompletionRequest, Extraction, Passage

WORDS = 200
_NOISE = re.compile(r"\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Meeting:
    """A QMSum meeting: who said what, and the words of its annotators."""

    name: str
    turns: tuple[Passage, ...]
    reference: str


def load(folder: Path) -> list[Meeting]:
    """Return the QMSum meetings of a folder, by name."""
    found = {*folder.glob("qmsum-*.json"), *folder.glob("transcripts/qmsum-*.json")}
    return [_read(path) for path in sorted(found)]


def take_lead(meeting: Meeting) -> str:
    """Return the first 200 words that are spoken."""
    words = " ".join(turn.text for turn in meeting.turns).split()
    return " ".join(words[:WORDS])


def take_extract(meeting: Meeting) -> str:
    """Return the extractive provider's summary of at most 200 words."""
    extraction = Extraction("summary", "en", meeting.turns, WORDS)
    request = CompletionRequest(None, (), extraction=extraction)
    summary = json.loads(Extractive().answer(request).text)["summary"]
    return " ".join((summary["short"], *summary["bullets"]))


SYSTEMS: dict[str, Callable[[Meeting], str]] = {
    "first 200 words": take_lead,
    "extractive": take_extract,
}
MEASURES: dict[str, Callable[[str, str], rouge.Score]] = {
    "ROUGE-1": lambda found, wanted: rouge.rouge_n(found, wanted, 1),
    "ROUGE-2": lambda found, wanted: rouge.rouge_n(found, wanted, 2),
    "ROUGE-L": rouge.rouge_l,
}


def measure(meetings: Iterable[Meeting], system: str) -> list[dict[str, rouge.Score]]:
    """Return the scores of each meeting by the name of the measure."""
    summaries = ((SYSTEMS[system](meeting), meeting.reference) for meeting in meetings)
    return [
        {name: score(*pair) for name, score in MEASURES.items()} for pair in summaries
    ]


def average(scores: Sequence[rouge.Score]) -> tuple[float, float, float]:
    """Return the means of precision, recall and F1 (F1 is not that of the means)."""
    names = ("precision", "recall", "f1")
    sums = (sum(getattr(score, name) for score in scores) for name in names)
    precision, recall, f1 = (total / len(scores) for total in sums)
    return precision, recall, f1


def main() -> None:
    """Print the table."""
    named = (
        sys.argv[1] if len(sys.argv) > 1 else os.environ.get("FLASKLLM_TEST_SAMPLES")
    )
    meetings = load(Path(named)) if named else []
    if not meetings:
        sys.exit("Name a folder with qmsum-*.json, or set FLASKLLM_TEST_SAMPLES to it.")
    heads = (f"{name + ' P':>10}{'R':>7}{'F1':>7}" for name in MEASURES)
    print(f"{'meeting':<16}{'summary':<17}" + "".join(heads))
    for system in SYSTEMS:
        rows = measure(meetings, system)
        for meeting, row in zip(meetings, rows, strict=True):
            _print_row(meeting.name, system, {name: [row[name]] for name in MEASURES})
        _print_row("mean", system, {name: [r[name] for r in rows] for name in MEASURES})


def _read(path: Path) -> Meeting:
    data = json.loads(path.read_text(encoding="utf-8"))
    turns = (
        (" ".join(_NOISE.sub(" ", turn["content"]).split()), turn["speaker"])
        for turn in data["meeting_transcripts"]
    )
    questions = data["general_query_list"] + data["specific_query_list"]
    return Meeting(
        name=path.stem.removeprefix("qmsum-"),
        turns=tuple(
            Passage(f"t{number}", text, speaker)
            for number, (text, speaker) in enumerate(turns, start=1)
        ),
        reference=" ".join(question["answer"] for question in questions),
    )


def _print_row(name: str, system: str, scores: dict[str, list[rouge.Score]]) -> None:
    cells = (
        f"{precision:>10.3f}{recall:>7.3f}{f1:>7.3f}"
        for precision, recall, f1 in map(average, scores.values())
    )
    print(f"{name:<16}{system:<17}" + "".join(cells))


if __name__ == "__main__":
    main()
