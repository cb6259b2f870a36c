"""A thread of mails of our own making, and a truthful model that reads them."""

import json
import re
from datetime import UTC, datetime, timedelta

from flaskllm.llm.fitting import Sizes
from flaskllm.llm.outlook import Prospect
from flaskllm.llm.tokens import estimate
from flaskllm.llm.types import Answer, Completion, Deployment, Usage
from flaskllm.services.digests.types import DigestOrder

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
PEOPLE = (
    ("Ada Quist", "ada@example.com"),
    ("Ben Ito", "ben@example.org"),
    ("Cleo Marsh", "cleo@example.net"),
)
BOX = Deployment("small", "box", "vllm", "scripted-1")
CHAT = (
    "the crane in the harbour was looked at again on round {n}, and the paint on its "
    "northern arm is still coming off. Nobody could say how long the rest will hold, "
    "but visit {n} has shown that the bolts are sound. The offer of workshop {n} is on "
    "the table, and its paint is of another kind than all the others before."
)
_PART = re.compile(r"^\[(p\d+) \| (\w+)\]\n(.*?)(?=^\[p\d+ \||\Z)", re.M | re.S)
_TASK = re.compile(r"I will send draft (\d+) to the harbour office\.")
_DROPPED = re.compile(r"We do not need draft (\d+) any more, drop it\.")
_BUDGET = re.compile(r"The budget (?:is|is not \d+ but) (\d+) euros now\.")


def body(number, said=""):
    """Return what mail `number` (from 1) says itself."""
    task = f"I will send draft {number} to the harbour office."
    own = f"{said}\n\n" if said else ""
    return f"Hello all,\n\n{CHAT.format(n=number)}\n\n{own}{task}\n"


def sent_at(number):
    """Return when mail `number` was sent."""
    return START + timedelta(days=number)


def mail(number, bodies, *, quotes=True, root="m1", own_id=None, sender=None):
    """Return mail `number` of a thread.

    Args:
        number: Which, from 1.
        bodies: What the mails say, this one last.
        quotes: Whether it quotes all earlier ones, each within the next.
        root: The id of the first one.
        own_id: Its own; None is `m<number>`.
        sender: Name and address; else one after the other writes.
    """
    name, address = sender or PEOPLE[number % 3]
    head = [
        f"From: {name} <{address}>",
        "To: all@example.com",
        "Subject: The crane",
        f"Message-ID: <{own_id or f'm{number}'}@example.com>",
        f"Date: {sent_at(number):%a, %d %b %Y %H:%M:%S} +0000",
    ]
    if number > 1:
        head.append(f"References: <{root}@example.com> <m{number - 1}@example.com>")
    text = bodies[0]
    for at, said in enumerate(bodies[1:], start=2):
        writer, address = PEOPLE[(at - 1) % 3]
        when = (
            f"On {sent_at(at - 1):%a, %d %b %Y at %H:%M}, {writer} <{address}> wrote:"
        )
        quoted = "\n".join(f"> {line}".rstrip() for line in text.split("\n"))
        text = f"{said}\n{when}\n{quoted}" if quotes else said
    return ("\n".join(head) + "\n\n" + text).encode()


def order(content, kind="summary", **wanted):
    """Return an order for the digest of a mail."""
    wanted = {"reference_time": START} | wanted
    return DigestOrder(
        content=content, media_type="message/rfc822", type=kind, **wanted
    )


class ThreadReader:
    """A truthful model: it finds the planted facts in what is not quoted.

    `tokens` has those of each request, `prompts` what was asked, and `tags` which
    deployments alone were to see it.
    """

    def __init__(self):
        self.prompts, self.tokens, self.tags = [], [], []

    def outlook(self, request, call=None):
        """Tell of the one deployment."""
        sizes = Sizes(request)
        return (Prospect("scripted", BOX, sizes.of(BOX), sizes.room(BOX)),)

    def complete(self, request, call=None):
        """Answer with facts of a document, or with prose from facts."""
        prompt = "\n".join(message.text for message in request.messages)
        self.prompts.append(prompt)
        self.tags.append(request.required_tag)
        self.tokens.append(estimate(prompt))
        said = json.dumps(_answer(prompt))
        usage = Usage(estimate(prompt), output_text=estimate(said), source="provider")
        return Answer(Completion(said, "stop", usage, BOX.model), "scripted", BOX, 1)


def _answer(prompt):
    if '"people"' in prompt:
        return {"summary": {"short": "The crane.", "bullets": []}}
    facts = {"points": [], "action_items": [], "amounts": []}
    for part, kind, text in _PART.findall(prompt):
        if kind == "body":
            _read(part, text, facts)
    return facts


def _read(part, text, facts):
    for found in _TASK.finditer(text):
        facts["action_items"].append(_item(found, part, "open"))
    for found in _DROPPED.finditer(text):
        facts["action_items"].append(_item(found, part, "retracted"))
    for found in _BUDGET.finditer(text):
        proof = {"quote": found[0], "part": part}
        told = {"text": f"The budget is {found[1]} euros", "evidence": proof}
        facts["amounts"].append(told)


def _item(found, part, status):
    task = f"Send draft {found[1]} to the harbour office"
    proof = {"quote": found[0], "part": part}
    return {"task": task, "status": status, "evidence": proof}
