"""Twelve things that a gateway does, each a scenario that is to survive any fault.

A scenario is run with a fault, and again without one. What it names by `stage.turn`
is the same in both, such as an idempotency key; what it finds wrong it yields.
"""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from invoice_mail import MAIL
from kth_stage import Stage, Told, Wrong, judge, typed
from sqlalchemy import text
from workflow_rows import states

HELLO = [{"role": "user", "content": "Hello"}]
CHAT = {"model": "open", "messages": HELLO, "max_tokens": 10}
MESSAGE = {"model": "claude", "messages": HELLO, "max_tokens": 10}
ASYNC = {"Prefer": "respond-async"}
WEBHOOK = "/api/v1/webhook"


def _nothing(_: Stage) -> Iterator[str]:
    return iter(())


@dataclass(frozen=True)
class Scenario:
    """What is done, and what must hold after its repetition.

    `prepare` is done once for a stage, without faults.
    """

    run: Callable[[Stage], None]
    check: Callable[[Stage], Iterator[str]] = _nothing
    prepare: Callable[[Stage], None] = lambda _: None
    before: Callable[[Stage], None] = lambda _: None


def rows(stage: Stage, sql: str, **values: Any) -> list[tuple[Any, ...]]:
    """Return what a query finds."""
    with stage.edge.sparing(), stage.services.database.reading() as connection:
        return [tuple(row) for row in connection.execute(text(sql), values)]


def chat(stage: Stage) -> None:
    """Ask a model."""
    stage.ask("POST", "/v1/chat/completions", CHAT)
    stage.flush()


def streamed_chat(stage: Stage) -> None:
    """Ask a model for a stream of its own dialect."""
    stage.ask("POST", "/v1/chat/completions", CHAT | {"stream": True})
    stage.flush()


def streamed_message(stage: Stage) -> None:
    """Ask a model of Anthropic's dialect for a stream."""
    stage.ask("POST", "/v1/messages", MESSAGE | {"stream": True})
    stage.flush()


def digest(stage: Stage) -> None:
    """Have a mail digested while we wait."""
    _post_mail(stage, {})
    stage.flush()


def _post_mail(stage: Stage, headers: dict[str, str], **query: str) -> Any:
    return stage.ask(
        "POST",
        WEBHOOK,
        data=MAIL,
        headers={"Content-Type": "message/rfc822", **headers},
        query_string={"type": "keywords", **query},
    )


def job(stage: Stage) -> None:
    """Have a mail accepted as a job, with an address to be told."""
    url = f"{stage.listener.url}/{stage.turn}"
    key = {"Idempotency-Key": f"job-{stage.turn}"}
    reply = _post_mail(stage, ASYNC | key, callback_url=url, event_id=_event(stage))
    stage.kept["job"] = reply.headers["Location"].rpartition("/")[2]


def _event(stage: Stage) -> str:
    return f"event-{stage.turn}"


def one_job(stage: Stage) -> Iterator[str]:
    """There is one job with document and workflow, however often it was sent."""
    found = rows(stage, "SELECT id, document_id FROM jobs WHERE state = 'queued'")
    if [each[0] for each in found] != [stage.kept["job"]]:
        yield f"jobs: {found}, accepted: {stage.kept['job']}"
    documents = {each[0] for each in rows(stage, "SELECT id FROM documents")}
    owned = {each[0] for each in rows(stage, "SELECT document_id FROM jobs")}
    if not {each[1] for each in found} <= documents <= owned:
        yield "documents without a job, or jobs without one"
    waiting = _waiting(stage) - stage.worked
    if len(waiting) != len(found):
        yield f"{len(waiting)} workflows for {len(found)} jobs"
    _finish(stage)
    yield from told_once(stage)


def work(stage: Stage) -> None:
    """Do what was accepted, and tell of it."""
    if stage.kept.get("accepted") != stage.turn:
        raise Wrong("nothing was accepted")
    _work(stage)
    found = rows(stage, "SELECT state FROM jobs WHERE id = :id", id=stage.kept["job"])
    if found != [("done",)]:
        raise Wrong(f"the job is {found}")


def accepted(stage: Stage) -> None:
    """Accept a job that is to be done."""
    if stage.kept.get("accepted") != stage.turn:
        job(stage)
        stage.kept["accepted"] = stage.turn


def told_once(stage: Stage) -> Iterator[str]:
    """The receiver has acted once on each job, and nothing is left to be told."""
    _finish(stage)
    effects = stage.receiver.effects[stage.kept["job"]]
    if effects != 1:
        yield f"{effects} effects of one job"
    left = rows(stage, "SELECT id, state FROM deliveries WHERE state <> 'delivered'")
    if left:
        yield f"not told: {left}"


def _finish(stage: Stage) -> None:
    """Do all that waits, whatever it waits for."""
    _work(stage)


def _work(stage: Stage) -> None:
    """Do what waits, as a worker does: one workflow after the other, until none is."""
    while waiting := sorted(_waiting(stage) - stage.worked):
        for workflow_id in waiting:
            stage.pass_time()  # it may be put off
            _do(stage, workflow_id)
            stage.worked.add(workflow_id)
    stage.flush()


def _waiting(stage: Stage) -> set[str]:
    with stage.edge.sparing():
        found = states(stage.services.workflows)
    return {each for each, state in found.items() if state in ("ENQUEUED", "DELAYED")}


def _do(stage: Stage, workflow_id: str) -> None:
    subject, _, rest = workflow_id.partition(".")
    number = int(rest.partition(".")[0] or "1")
    if subject.startswith("job_"):
        step = lambda _name, function: function()  # noqa: E731
        typed(stage.services.job_runs.run, subject, number, step)
    else:
        typed(stage.services.deliveries.attempt, subject, number)


def idempotent(stage: Stage) -> None:
    """Ask under a key, and repeat it."""
    key = {"Idempotency-Key": f"chat-{stage.turn}"}
    first = stage.ask("POST", "/v1/chat/completions", CHAT, key)
    again = stage.ask("POST", "/v1/chat/completions", CHAT, key, also=frozenset({409}))
    if again.status_code == 200 and first.data != again.data:
        raise Wrong("two answers under one key")
    stage.kept["replayed"] = again.headers.get("Idempotency-Replayed")
    stage.flush()


def replayed(stage: Stage) -> Iterator[str]:
    """The last repetition was told from what is kept."""
    if stage.kept["replayed"] != "true":
        yield "the answer was not kept"


def tokens(stage: Stage) -> None:
    """Make an API token, use it, roll it, revoke it."""
    body = {"name": f"t{stage.turn}", "scopes": ["read"]}
    ask, path = stage.ask, "/api/v1/tokens"
    made = ask("POST", path, body, token=stage.admin).json["data"]
    ask("GET", "/api/v1/tokens/self", token=made["token"])
    rolled = ask("POST", f"{path}/{made['id']}/roll", {}, token=stage.admin)
    text = rolled.json["data"]["token"]
    ask("DELETE", f"{path}/{made['id']}", token=stage.admin)
    refused = ask("GET", "/api/v1/tokens/self", token=text, also=frozenset({401}))
    if refused.status_code != 401:
        raise Wrong("a revoked API token is good")


def audited(stage: Stage) -> Iterator[str]:
    """What changed an API token is in the audit, once for each."""
    done = rows(
        stage,
        "SELECT count(*), (SELECT count(*) FROM audit WHERE action = 'token.create') "
        "FROM api_tokens",
    )
    if done[0][0] != done[0][1]:
        yield f"API tokens and their audit differ: {done}"


def budget(stage: Stage) -> None:
    """Set a budget that is too small, and be refused by it."""
    subject = stage.kept["subject"]
    wanted = {"subject": subject, "period": "month", "kind": "hard", "limit_nanos": 1}
    made = stage.ask(
        "POST", "/api/v1/budgets", wanted, token=stage.admin, also=frozenset({409})
    )
    refused = stage.ask(
        "POST", "/v1/chat/completions", CHAT, also=frozenset({402, 429})
    )
    if refused.status_code < 400:
        raise Wrong("more was spent than the budget")
    if made.status_code == 409:
        shown = stage.ask(
            "GET", f"/api/v1/budgets?subject={subject}", token=stage.admin
        ).json["data"]
        found = shown[0]["id"]
    else:
        found = made.json["data"]["id"]
    stage.ask("DELETE", f"/api/v1/budgets/{found}", token=stage.admin)
    stage.ask("POST", "/v1/chat/completions", CHAT)
    stage.flush()


def of_whom(stage: Stage) -> None:
    """Remember whose budget it is."""
    told = stage.ask("GET", "/api/v1/tokens/self").json["data"]
    stage.kept["subject"] = f"principal:{told['id']}"


def reload(stage: Stage) -> None:
    """Take up changed settings; a bad read of them leaves the ones in force."""
    alias = f"alias-{stage.turn}"
    stage.services.settings.ask()
    stage.services.settings.poll()
    stage.ask("GET", "/api/v1/templates")
    stage.kept["alias"] = alias
    stage.ask("POST", "/v1/chat/completions", CHAT)
    stage.flush()


def stored(stage: Stage) -> None:
    """Have a response kept, and go on with it."""
    body = {"model": "open", "input": "Hello", "max_output_tokens": 10}
    first = stage.ask("POST", "/v1/responses", body).json
    if not first["store"]:
        stage.flush()
        return
    second = body | {"previous_response_id": first["id"]}
    stage.ask("POST", "/v1/responses", second)
    stage.ask("GET", f"/v1/responses/{first['id']}")
    stage.ask("DELETE", f"/v1/responses/{first['id']}")
    stage.flush()


def housekeeping(stage: Stage) -> None:
    """See to everything that is to be kept, whether it is due or not."""
    reports = typed(lambda: stage.services.housekeeping.run(regardless=True))
    stage.kept["failed"] = [each.name for each in reports if each.state == "failed"]
    ready = stage.ask("GET", "/api/v1/health/ready", also=frozenset({503}))
    if ready.json["data"]["status"] == "not_ready":
        raise Told("not ready")  # which is no error of whoever asks


def kept_house(stage: Stage) -> Iterator[str]:
    """The repetition has seen to everything."""
    if stage.kept["failed"]:
        yield f"not done: {stage.kept['failed']}"


def inbound(stage: Stage) -> None:
    """Take what a mail service delivers."""
    proof = base64.b64encode(b"support:pass-4f1c09ab37d2").decode()
    mail = {
        "RawEmail": MAIL.decode(),
        "MessageID": f"m-{stage.turn}",
        "OriginalRecipient": "d@x.example",
    }
    reply = stage.client.post(
        "/api/v1/inbound/postmark/desk",
        data=json.dumps(mail),
        headers={"Authorization": f"Basic {proof}", "Content-Type": "application/json"},
    )
    judge(reply, reply.text)
    stage.kept["job"] = reply.json["data"]["job"]


def taken_once(stage: Stage) -> Iterator[str]:
    """One delivery is one job, however often it came."""
    found = rows(stage, "SELECT id FROM jobs WHERE state = 'queued'")
    if found != [(stage.kept["job"],)]:
        yield f"jobs: {found}"
    _finish(stage)


SCENARIOS = {
    "chat": Scenario(chat),
    "streamed chat": Scenario(streamed_chat),
    "streamed message": Scenario(streamed_message),
    "digest": Scenario(digest),
    "job accepted": Scenario(job, one_job),
    "job done": Scenario(work, told_once, before=accepted),
    "idempotency key": Scenario(idempotent, replayed),
    "API tokens": Scenario(tokens, audited),
    "budget": Scenario(budget, prepare=of_whom),
    "reload": Scenario(reload),
    "responses": Scenario(stored),
    "housekeeping": Scenario(housekeeping, kept_house),
    "inbound": Scenario(inbound, taken_once),
}
