"""F19: what one principal made, no other sees, whatever any of them tries.

A state machine over the whole application on a real database: two principals and an
admin keep responses, go on from them, leave jobs and endpoints, repeat requests by
key, read their usage and their budgets, are rolled, changed and revoked. Each tries
its own ids, the other's, and ids that nobody has; a model in memory tells what must
come of it.
"""

import pytest
from durable_tenancy import DurableRules, everybody, people
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from rounds import IS_FULL, rounds
from tenancy import (
    ADMIN_TOKEN,
    ALIASES,
    LISTS,
    SETTINGS,
    Kept,
    Tenancy,
    output_of,
    random_like,
)

from flaskllm.core.config import load
from flaskllm.factory import create_app
from flaskllm.wiring import build_services

STEPS = rounds(300, 5000)
STEPS_OF_A_RUN = 50
RESPONSES = "/v1/responses"

numbers = st.integers(0, 1000)
aliases = st.sampled_from([*ALIASES, "nowhere"])


class Machine(DurableRules):
    """What the three may do, and what must come of it."""

    @initialize()
    def begin(self):
        self.tenancy.begin()

    @invariant()
    def nobody_reads_what_is_another_s(self):
        self.tenancy.steps += 1
        assert self.tenancy.foreign_reads == []

    # --- kept responses ---

    @rule(name=people, number=numbers, continues=st.booleans())
    def keep_a_response(self, name, number, continues):
        person = self.tenancy.who(name)
        previous = _one_of(person.kept, number) if continues else None
        text = self.tenancy.new_text(person)
        alias = next(iter(person.models()))
        body = {"model": alias, "input": text}
        if previous is not None:
            body["previous_response_id"] = previous.id
        conversation = previous.conversation() if previous else []

        reply = self.tenancy.call(person, "POST", RESPONSES, body)

        if conversation is None:
            assert reply.status_code == 404
            return
        assert reply.status_code == 200, reply.text
        answer = output_of(reply)
        self.tenancy.belongs_to(person, answer)
        assert self.tenancy.told_upstream() == [*conversation, text]
        person.kept.append(Kept(reply.json["id"], (text, answer), previous))

    @rule(name=everybody, number=numbers)
    def read_one_s_own(self, name, number):
        person = self.tenancy.who(name)
        kept = _one_of(person.kept, number)
        if kept is None:
            return

        reply = self.tenancy.call(person, "GET", f"{RESPONSES}/{kept.id}")
        items = self.tenancy.call(person, "GET", f"{RESPONSES}/{kept.id}/input_items")

        if not kept.is_there:
            assert (reply.status_code, items.status_code) == (404, 404)
            return
        assert output_of(reply) == kept.said[1]
        assert [each["content"][0]["text"] for each in items.json["data"]] == [
            kept.said[0]
        ]

    @rule(name=people, number=numbers)
    def remove_one_s_own(self, name, number):
        person = self.tenancy.who(name)
        kept = _one_of(person.kept, number)
        if kept is None:
            return

        reply = self.tenancy.call(person, "DELETE", f"{RESPONSES}/{kept.id}")

        assert reply.status_code == (200 if kept.is_there else 404)
        kept.is_there = False

    @rule(
        name=everybody,
        number=numbers,
        how=st.sampled_from(["GET", "DELETE", "input_items", "continue"]),
    )
    def try_another_s_response(self, name, number, how):
        person = self.tenancy.who(name)
        kept = _one_of(self.tenancy.other_than(person).kept, number)
        if kept is None:
            return
        self.tenancy.reads_as_never_made(
            person, kept.id, lambda an_id: _asking(how, an_id)
        )

    # --- repeated requests ---

    @rule(name=people, key=st.sampled_from(["k-1", "k-2"]), body=st.integers(0, 1))
    def repeat_by_a_key_that_others_use_too(self, name, key, body):
        person = self.tenancy.who(name)
        alias = next(iter(person.models()))
        asked = {"model": alias, "messages": [{"role": "user", "content": f"{body}"}]}
        number = hash((alias, body))
        known = person.answers.get(key)

        reply = self.tenancy.call(
            person, "POST", "/v1/chat/completions", asked, **{"Idempotency-Key": key}
        )

        if known is None:
            assert reply.status_code == 200, reply.text
            assert "Idempotency-Replayed" not in reply.headers
            self.tenancy.belongs_to(person, reply.text)
            person.answers[key] = (number, reply.data)
        elif known[0] == number:
            assert reply.headers["Idempotency-Replayed"] == "true"
            assert reply.data == known[1]
        else:
            assert reply.status_code == 422

    # --- models ---

    @rule(name=people)
    def list_models(self, name):
        person = self.tenancy.who(name)

        listed = self.tenancy.call(person, "GET", "/v1/models").json["data"]
        routes = self.tenancy.call(person, "GET", "/api/v1/models").json["data"]

        assert [each["id"] for each in listed] == person.models()
        assert [each["name"] for each in routes] == person.models()

    @rule(name=people, alias=aliases, how=st.sampled_from(["find", "ask", "explain"]))
    def send_a_name(self, name, alias, how):
        person = self.tenancy.who(name)
        say = {
            "find": lambda: ("GET", f"/v1/models/{alias}", None),
            "ask": lambda: ("POST", RESPONSES, {"model": alias, "input": "Hi"}),
            "explain": lambda: (
                "POST",
                "/api/v1/routes/explain",
                {"model": alias, "message": "Hi"},
            ),
        }

        reply = self.tenancy.call(person, *say[how]())

        if person.may_send(alias) and alias in ALIASES:
            assert reply.status_code == 200, reply.text
            self.tenancy.belongs_to(person, reply.text)
            return
        assert reply.status_code == 404
        hidden = {each for each in ALIASES if not person.may_send(each)} - {alias}
        assert not any(each in reply.text for each in hidden)

    # --- usage, budgets, tokens ---

    @rule(name=people)
    def read_one_s_usage(self, name):
        person = self.tenancy.who(name)

        for page in ("requests", "requests.csv", "summary", "summary.csv"):
            reply = self.tenancy.call(person, "GET", f"/api/v1/usage/{page}")
            assert reply.status_code == 200, reply.text

    @rule(name=people)
    def ask_for_another_s_usage(self, name):
        person = self.tenancy.who(name)
        foreign = self.tenancy.other_than(person).id
        self.tenancy.reads_as_never_made(
            person,
            foreign,
            lambda an_id: ("GET", f"/api/v1/usage/summary?token={an_id}"),
        )

    @rule(name=people)
    def read_one_s_budgets(self, name):
        person = self.tenancy.who(name)

        reply = self.tenancy.call(person, "GET", "/api/v1/budgets")

        assert [each["id"] for each in reply.json["data"]] == [person.budget]

    @rule(name=people)
    def try_another_s_budget(self, name):
        person = self.tenancy.who(name)
        foreign = self.tenancy.other_than(person).budget
        self.tenancy.reads_as_never_made(
            person, foreign, lambda an_id: ("GET", f"/api/v1/budgets/{an_id}")
        )

    @rule(
        name=people,
        method=st.sampled_from(["GET", "PATCH", "DELETE", "POST"]),
        of=st.sampled_from(["own", "another's", "nobody's"]),
    )
    def administer_without_leave(self, name, method, of):
        person = self.tenancy.who(name)
        foreign = self.tenancy.other_than(person).id
        an_id = {"own": person.id, "another's": foreign}.get(of, random_like(foreign))
        end = "/roll" if method == "POST" else ""

        reply = self.tenancy.call(person, method, f"/api/v1/tokens/{an_id}{end}", {})

        assert (reply.status_code, reply.json["code"]) == (403, "PERMISSION_DENIED")

    @rule(name=people)
    def see_oneself(self, name):
        person = self.tenancy.who(name)

        shown = self.tenancy.call(person, "GET", "/api/v1/tokens/self").json["data"]

        assert shown["id"] == person.id
        assert [each["id"] for each in shown["budgets"]] == [person.budget]

    @rule(name=people)
    def an_admin_sees_who_there_is(self, name):
        person = self.tenancy.who(name)
        admin = self.tenancy.admin

        shown = self.tenancy.call(admin, "GET", f"/api/v1/tokens/{person.id}")
        unknown = random_like(person.id)
        absent = self.tenancy.call(admin, "GET", f"/api/v1/tokens/{unknown}")

        assert shown.json["data"]["id"] == person.id
        assert person.token not in shown.text
        assert absent.status_code == 404

    # --- changes ---

    @rule(name=people, allowed=st.sampled_from(LISTS))
    def change_what_may_be_sent(self, name, allowed):
        person = self.tenancy.who(name)

        reply = self.tenancy.call(
            self.tenancy.admin,
            "PATCH",
            f"/api/v1/tokens/{person.id}",
            {"aliases": list(allowed)},
        )

        assert reply.status_code == 200, reply.text
        person.aliases = allowed

    @rule(name=people)
    def roll(self, name):
        """The secret is another one; all that was made stays."""
        person = self.tenancy.who(name)
        path = f"/api/v1/tokens/{person.id}/roll"

        rolled = self.tenancy.call(self.tenancy.admin, "POST", path, {})

        assert rolled.status_code == 200, rolled.text
        assert self.tenancy.call(person, "GET", "/v1/models").status_code == 401
        person.token = rolled.json["data"]["token"]

    @rule(name=people, allowed=st.sampled_from(LISTS))
    def revoke_and_let_a_namesake_in(self, name, allowed):
        """Who comes after has the same name, and nothing of what was made before."""
        before = self.tenancy.who(name)
        path = f"/api/v1/tokens/{before.id}"

        assert self.tenancy.call(self.tenancy.admin, "DELETE", path).status_code == 200
        assert self.tenancy.call(before, "GET", "/v1/models").status_code == 401
        self.tenancy.enter(name, allowed)

        for kept in before.kept[-1:]:
            self.tenancy.reads_as_never_made(
                self.tenancy.who(name), kept.id, lambda an_id: _asking("GET", an_id)
            )


def _one_of(kept, number):
    return kept[number % len(kept)] if kept else None


def _asking(how, an_id):
    if how == "continue":
        body = {"model": "shared", "input": "Go on.", "previous_response_id": an_id}
        return "POST", RESPONSES, body
    if how == "input_items":
        return "GET", f"{RESPONSES}/{an_id}/input_items"
    return how, f"{RESPONSES}/{an_id}"


@pytest.fixture
def client(tmp_path, upstream):
    """A client of the whole application, on a database of its own."""
    (tmp_path / "flaskllm.yaml").write_text(SETTINGS.format(url=upstream.url))
    environ = {
        "FLASKLLM_API_TOKEN": ADMIN_TOKEN,
        "FLASKLLM_LOG_FILE": str(tmp_path / "gateway.log"),
    }
    loaded = load(environ, tmp_path)
    services = build_services(loaded)
    yield create_app(loaded, services).test_client()
    services.database.close()


@pytest.mark.timeout(1800)
def test_foreign_reads_are_none_in_any_order_of_requests(
    client, upstream, record_property
):
    tenancy = Tenancy(client, upstream)
    machine = type("Machine", (Machine,), {"tenancy": tenancy})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=-(-STEPS // STEPS_OF_A_RUN) + rounds(2, 20),
            stateful_step_count=STEPS_OF_A_RUN,
            deadline=None,
            derandomize=not IS_FULL,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),  # what was read is told without a smaller one
        ),
    )

    record_property(
        "figure",
        f"{tenancy.steps} steps, {tenancy.requests} requests of two principals and "
        f"an admin: {len(tenancy.foreign_reads)} foreign reads",
    )
    assert tenancy.steps >= STEPS
    assert tenancy.foreign_reads == []
