"""The planted samples: documents of our own writing whose facts are known.

`expected.json` beside them says what must be found. Here those facts are put into
the answer that a truthful model would give, in the names of the digest.
"""

import json
import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "flaskllm" / "cli" / "samples" / "planted"
EXPECTED = json.loads((FOLDER / "expected.json").read_text("utf-8"))
# The others go through the same pipeline in tests without a gateway.
NAMES = sorted(name for name in EXPECTED if name.startswith("planted-"))
_MEDIA_TYPES = {".eml": "message/rfc822", ".vtt": "text/vtt"}
_LISTS = ("action_items", "decisions", "risks", "open_questions", "dates", "amounts")


def content_of(name):
    """Return the bytes of a planted document and their media type."""
    return (FOLDER / name).read_bytes(), _MEDIA_TYPES[Path(name).suffix]


def reference_time_of(name):
    """Return the moment that "today" means: the mail's date, or the meeting's day."""
    return EXPECTED[name]["reference_time"]


def facts_of(name, told="facts"):
    """Return the facts as a truthful model would answer them, or a liar's `lies`."""
    facts = EXPECTED[name].get(told, {})
    answered = {
        kind: [_answer(each) for each in facts.get(kind, ())] for kind in _LISTS
    }
    for item in answered["action_items"]:
        item |= {"due_text": None, "status": "open"}
    return {"points": [], **answered, "keywords": [], "priority": "normal"}


def _answer(fact):
    claims = {name: value for name, value in fact.items() if name != "quote"}
    claims.pop("due_or", None)
    return {**claims, "evidence": {"quote": fact["quote"]}}


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


def _pieces_of(prompt):
    """Return the pieces of the document in a prompt: their text by their id."""
    found = {}
    for block in re.split(r"\n(?=\[[a-z]+\d* ?[|\]])", prompt):
        match = re.match(r"\[(?P<id>[a-z]+\d*)[^\]]*\]\n(?P<text>.*)", block, re.DOTALL)
        if match:
            found[match["id"]] = " ".join(match["text"].split())
    return found
