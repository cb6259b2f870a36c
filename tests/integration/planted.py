"""The planted samples: documents of our own writing whose facts are known.

`planted-expected.json` says what must be found. Here those facts are put into
the answer that a truthful model would give, in the names of the digest.
"""

import json
import re
from datetime import datetime
from email import message_from_bytes, policy
from pathlib import Path
from zoneinfo import ZoneInfo

FOLDER = Path(__file__).parents[1] / "data" / "planted"
EXPECTED = json.loads((FOLDER / "planted-expected.json").read_text())
NAMES = sorted(EXPECTED)

# Words that prove what the expected file states without a quote of its own.
QUOTES = {
    "Whether the European region is dropped depends on legal's answer on 16 March": (
        "Legal answers on the sixteenth, we decide then."
    ),
    "2026-03-16": "Legal answers on the sixteenth",
    "2026-03-17": "Then we meet again on the seventeenth.",
    "2026-05-04": "So let's move the launch to May fourth.",
    "2026-06-24": "the delivery is on 24 June",
    "2026-06-11": "Could you confirm the loading bay by Thursday noon?",
    "2026-05-06": "Bis Mittwoch, 6. Mai, schicke ich es Ihnen.",
    "2026-01-19": "Bis Montag, den neunzehnten.",
    "campaign budget": "Finance approved forty-five thousand, not forty.",
    "pallets": "it is 12 pallets",
    "default bay": "If we hear nothing we keep bay 3.",
    "Preis EUR netto": "er steigt auf 8.950 EUR netto",
    "Lizenz Menge": "Lizenz 35",
    "Nutzer": "sondern dreitausend Nutzer gemeldet",
}
_MEDIA_TYPES = {".eml": "message/rfc822", ".vtt": "text/vtt"}


def content_of(name):
    """Return the bytes of a planted document and their media type."""
    return (FOLDER / name).read_bytes(), _MEDIA_TYPES[Path(name).suffix]


def reference_time_of(name):
    """Return the moment that "today" means: the mail's date, or the meeting's day."""
    expected = EXPECTED[name]
    if "meeting_date" not in expected:
        mail = message_from_bytes(content_of(name)[0], policy=policy.default)
        return mail["Date"].datetime.isoformat()
    day = datetime.fromisoformat(expected["meeting_date"])
    zone = ZoneInfo(expected["timezone"])
    return day.replace(hour=9, tzinfo=zone).isoformat()


def facts_of(name):
    """Return the expected facts as a truthful model would answer them."""
    expected = EXPECTED[name]
    return {
        "points": [],
        "action_items": [
            {
                "task": item["task"],
                "owner": item["owner"],
                "due": item["due"],
                "due_text": None,
                "status": "open",
                "evidence": {"quote": item["quote"]},
            }
            for item in expected.get("action_items", [])
        ],
        "decisions": _statements(expected.get("decisions", [])),
        "risks": _statements(expected.get("risks", [])),
        "open_questions": [
            {"text": text, "evidence": {"quote": QUOTES[text]}}
            for text in expected.get("open_questions", [])
        ],
        "dates": [
            {"date": day, "text": QUOTES[day], "evidence": {"quote": QUOTES[day]}}
            for day in expected.get("dates", [])
        ],
        "amounts": [
            {"text": f"{what}: {value}", "evidence": {"quote": QUOTES[what]}}
            for what, value in expected.get("numbers", {}).items()
        ],
        "keywords": [],
        "priority": "normal",
    }


def cite(facts, prompt):
    """Put the id of the piece that holds each quote beside it, as models do."""
    pieces = _pieces_of(prompt)
    cited = json.loads(json.dumps(facts))
    for facts_of_kind in cited.values():
        for fact in facts_of_kind if isinstance(facts_of_kind, list) else []:
            quote = " ".join(fact["evidence"]["quote"].split())
            for piece, text in pieces.items():
                if quote in text:
                    fact["evidence"]["turn" if piece[0] == "t" else "part"] = piece
    return cited


def _statements(items):
    return [
        {"text": item["text"], "evidence": {"quote": item["quote"]}} for item in items
    ]


def _pieces_of(prompt):
    """Return the pieces of the document in a prompt: their text by their id."""
    found = {}
    for block in re.split(r"\n(?=\[[a-z]+\d* ?[|\]])", prompt):
        match = re.match(r"\[(?P<id>[a-z]+\d*)[^\]]*\]\n(?P<text>.*)", block, re.DOTALL)
        if match:
            found[match["id"]] = " ".join(match["text"].split())
    return found
