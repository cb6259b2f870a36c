"""Two principals and an admin on one gateway, and what each may know of the others.

The model is kept in memory beside the real thing. Every text that goes in or comes
out of an upstream carries a mark of whom it belongs to, so whatever a caller reads
can be searched for what is somebody else's.
"""

import json
import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fakes import Received, Upstream, answer_with, chat
from processes import bearer

from flaskllm.core.ids import new_id, random_base62

ADMIN_TOKEN = "kQ2vR8xT4mZ7nB1cW6yH3jL9pD5sF0gA"
ALIASES = ("shared", "for-ann", "for-bob", "spare")
LISTS = (("shared", "for-ann"), ("shared", "for-bob"), ("for-*",), ("spare",), ALIASES)
SETTINGS = """
limits:
  authentication_failures_per_minute: 1000000
  unauthenticated_per_minute: 1000000
providers:
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  small: {{provider: box, model: scripted-1}}
routes:
  - {{alias: shared, deployments: {{small: 1}}}}
  - {{alias: for-ann, deployments: {{small: 1}}}}
  - {{alias: for-bob, deployments: {{small: 1}}}}
  - {{alias: spare, deployments: {{small: 1}}}}
"""

_MARK = re.compile(r"mark-[0-9a-f]{32}")
_REQUEST_ID = re.compile(r"req[_-][0-9A-Za-z_-]+")


@dataclass
class Kept:
    """A response that somebody keeps: its own texts, and the one before it."""

    id: str
    said: tuple[str, str]
    previous: "Kept | None" = None
    is_there: bool = True

    def conversation(self) -> list[str] | None:
        """Return all texts up to here; None when a turn of them was removed."""
        if not self.is_there:
            return None
        before = self.previous.conversation() if self.previous else []
        return None if before is None else [*before, *self.said]


@dataclass
class Person:
    """A principal, and what the model knows of it."""

    name: str
    id: str
    token: str
    aliases: Sequence[str] = ALIASES
    budget: str = ""
    kept: list[Kept] = field(default_factory=list)
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    durable: dict[str, str] = field(default_factory=dict)

    def may_send(self, alias: str) -> bool:
        """Tell whether the allow-list holds this alias."""
        return any(
            alias == each or (each.endswith("*") and alias.startswith(each[:-1]))
            for each in self.aliases
        )

    def models(self) -> list[str]:
        """Return what its list of models shows."""
        return [each for each in ALIASES if self.may_send(each)]


class Tenancy:
    """The gateway, whoever calls it, and what belongs to whom.

    Attributes:
        steps: How often what was read so far was judged.
        requests: How many were made.
        foreign_reads: What somebody read of somebody else since they began.
    """

    def __init__(self, client: Any, upstream: Upstream):
        self.steps = self.requests = 0
        self.foreign_reads: list[str] = []
        self.admin = Person("admin", "bootstrap", ADMIN_TOKEN)
        self.people: dict[str, Person] = {}
        self._client = client
        self._upstream = upstream
        self._owner_of_mark: dict[str, str] = {}
        self._owner_of_request: dict[str, str] = {}
        self._all_ids: dict[str, str] = {}  # of principals and of budgets, to owners
        upstream.always(answer_with(self._answer))

    def begin(self) -> None:
        """Let two new principals in; those before them stay in the store."""
        self.people, self.foreign_reads = {}, []
        for name, aliases in zip(("ann", "bob"), LISTS, strict=False):
            self.enter(name, aliases)

    def enter(self, name: str, aliases: Sequence[str]) -> None:
        """Make a principal with these allowed aliases, and a budget of its own."""
        scopes = ["chat", "read", "webhook"]
        grant = {"name": name, "scopes": scopes, "aliases": list(aliases)}
        made = self.call(self.admin, "POST", "/api/v1/tokens", grant)
        assert made.status_code == 201, made.text
        data = made.json["data"]
        person = Person(name, data["id"], data["token"], tuple(aliases))
        person.budget = self._make_budget(person)
        self._all_ids |= {person.id: person.id, person.budget: person.id}
        self.people[name] = person

    def owns(self, person: Person, kind: str, an_id: str) -> None:
        """Note whose an id is that must be told to nobody else."""
        self._all_ids[an_id] = person.id
        person.durable[kind] = an_id

    def _make_budget(self, person: Person) -> str:
        wanted = {
            "subject": f"principal:{person.id}",
            "period": "month",
            "kind": "hard",
            "limit_nanos": 10**15,
        }
        made = self.call(self.admin, "POST", "/api/v1/budgets", wanted)
        assert made.status_code == 201, made.text
        return made.json["data"]["id"]

    def who(self, name: str) -> Person:
        """Return one of the three."""
        return self.admin if name == "admin" else self.people[name]

    def other_than(self, person: Person) -> Person:
        """Return the other of the two; ann, for the admin."""
        return self.people["bob" if person.name == "ann" else "ann"]

    def call(self, person: Person, method: str, path: str, body: Any = None, **head):
        """Return the response to this principal; what is foreign in it is noted."""
        self.requests += 1
        request_id = f"req-{uuid.uuid4().hex}"
        self._owner_of_request[request_id] = person.id
        headers = {**bearer(person.token), "X-Request-ID": request_id, **head}
        response = self._client.open(path, method=method, json=body, headers=headers)
        self._judge(person, f"{method} {path}", response.text)
        return response

    def reads_as_never_made(self, person: Person, an_id: str, asking: Callable) -> None:
        """Ask for a foreign id and for a random one: both are told the same."""
        unknown = random_like(an_id)
        foreign = self.call(person, *asking(an_id))
        absent = self.call(person, *asking(unknown))

        assert (foreign.status_code, absent.status_code) == (404, 404), foreign.text
        assert without_ids(foreign.text, an_id) == without_ids(absent.text, unknown)
        assert _lasting(foreign.headers) == _lasting(absent.headers)

    def new_text(self, person: Person) -> str:
        """Return a text of this principal's own."""
        mark = f"mark-{uuid.uuid4().hex}"
        self._owner_of_mark[mark] = person.id
        return mark

    def told_upstream(self) -> list[str]:
        """Return the texts of the conversation that the upstream heard last."""
        heard = self._upstream.requests[-1].json["messages"]
        return [_text_of(each["content"]) for each in heard]

    def belongs_to(self, person: Person, text: str) -> None:
        """Note whose the marks in an answer are, which nobody has read before."""
        for mark in _MARK.findall(text):
            assert self._owner_of_mark.setdefault(mark, person.id) == person.id

    def _answer(self, _: Received):
        """Answer with a text that nobody has read yet."""
        return chat(f"mark-{uuid.uuid4().hex}")

    def _judge(self, person: Person, what: str, text: str) -> None:
        """Note each text, request or id in an answer that is somebody else's."""
        marks = {each: self._owner_of_mark.get(each) for each in _MARK.findall(text)}
        owners = dict(marks)
        if person is not self.admin:  # who may see who there is, and what they spend
            asked = self._owner_of_request
            owners |= {each: asked.get(each) for each in _REQUEST_ID.findall(text)}
            owners |= {
                each: owner
                for each, owner in self._all_ids.items()
                if each in text and each not in what
            }
        self.foreign_reads += [
            f"{person.name} read {each} by {what}"
            for each, owner in owners.items()
            if owner not in (None, person.id)
        ]


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def random_like(an_id: str) -> str:
    """Return an id of the same form that nobody has."""
    prefix, separator, rest = an_id.rpartition("_")
    if not separator:
        return random_base62(len(rest))
    made = new_id(prefix)
    return made if len(made) == len(an_id) else f"{prefix}_{random_base62(len(rest))}"


def without_ids(text: str, *ids: str) -> str:
    """Return a body but for the id that was asked for, and the request's own."""
    for each in ids:
        text = text.replace(each, "ID")
    return _REQUEST_ID.sub("REQUEST", text)


def _lasting(headers: Any) -> list[str]:
    """Return the names of the headers that do not depend on the moment."""
    passing = {"x-request-id", "content-length", "server-timing"}
    return sorted({name.lower() for name, _ in headers} - passing)


def output_of(response: Any) -> str:
    """Return the words of a response."""
    data = json.loads(response.data)
    return data["output"][0]["content"][0]["text"]
