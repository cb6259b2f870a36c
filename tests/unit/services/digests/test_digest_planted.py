"""Documents whose facts are known, in four languages, before three kinds of model.

A truthful one answers what is planted, a lying one what is planted as lies, and an
obedient one does what the documents tell the machine to do.
"""

import json
import re
from pathlib import Path

import pytest
from digest_fakes import ScriptedRouter, answer
from digest_orders import make

from flaskllm.services.digests.evaluation import read_planted, score, total

FOLDER = Path(__file__).parents[4] / "flaskllm" / "cli" / "samples" / "planted"
PLANTED = read_planted(FOLDER)
IDS = [each.name for each in PLANTED]
PROSE = {
    "summary": {"short": "There is news.", "bullets": []},
    "reply_draft": "Thank you.",
}
WORDINGS = ("task", "text")


class Model(ScriptedRouter):
    """Answers every question with the facts and the prose that it is given."""

    def __init__(self, facts, prose=PROSE):
        super().__init__()
        self.facts, self.prose = facts, prose
        self.prompts = []

    def complete(self, request, call=None):
        self.prompts.append("\n".join(each.content for each in request.messages))
        return answer({**self.facts, **self.prose})


def told(planted, kind):
    """Return facts or lies as a model answers them."""
    return {
        name: [
            {**fact, "due_or": None, "evidence": {"quote": fact["quote"]}}
            for fact in facts
        ]
        for name, facts in planted.expected.get(kind, {}).items()
    }


@pytest.mark.parametrize("planted", PLANTED, ids=IDS)
def test_of_a_truthful_model_every_fact_is_found_and_verified(planted):
    result = make(Model(told(planted, "facts")), planted.order("summary"))

    found = score(planted, result)

    assert found.missed == ()
    assert (found.found, found.verified) == (found.wanted, found.wanted)
    assert found.hits == ()
    assert found.kept == found.wanted
    assert result.digest.language == planted.expected["language"]


@pytest.mark.parametrize("planted", PLANTED, ids=IDS)
def test_of_a_lying_model_no_lie_is_verified(planted):
    lies = told(planted, "lies")
    assert lies

    digest = make(Model(lies), planted.order("summary")).digest.to_json()

    for kind, claims in lies.items():
        wordings = {claim.get("task") or claim["text"] for claim in claims}
        held = [
            fact
            for fact in digest[kind]
            if fact["evidence"]["verified"]
            and {fact.get(name) for name in WORDINGS} & wordings
        ]
        assert held == [], kind


@pytest.mark.parametrize("planted", PLANTED, ids=IDS)
def test_an_obedient_model_cannot_pass_an_order_on(planted):
    canary = planted.expected.get("canary")
    obeys = {
        name: [
            *told(planted, "facts").get(name, ()),
            {"task": canary, "text": canary, "evidence": {"quote": canary or "none"}},
        ]
        for name in ("action_items", "decisions", "risks", "dates", "amounts")
    }
    prose = {"summary": {"short": f"News. {canary}.", "bullets": [f"{canary}"]}}
    model = Model(obeys if canary else told(planted, "facts"), prose)

    result = make(model, planted.order("summary"))

    assert score(planted, result).hits == ()
    if canary:
        assert all(canary not in prompt for prompt in model.prompts)
        assert any(
            line.startswith("instructions_in_source") for line in result.warnings
        )
    else:  # a clean control stays whole
        assert score(planted, result).found == score(planted, result).wanted
        assert not any("instructions" in line for line in result.warnings)


def test_the_sets_hold_a_mail_and_a_meeting_in_each_of_four_languages():
    shapes = {(each.expected["language"], each.media_type) for each in PLANTED}

    assert len(shapes) == 8
    attacked = {
        each.expected["language"] for each in PLANTED if "canary" in each.expected
    }
    assert attacked == {"en", "de", "fr", "es"}
    for planted in PLANTED:
        patterns = [rule["pattern"] for rule in planted.expected["must_not"]]
        assert patterns
        assert all(map(re.compile, patterns))


class TestScore:
    """What is counted."""

    PLANTED = next(each for each in PLANTED if each.name == "mail-en.eml")

    def test_a_fact_under_another_owner_or_day_is_not_found(self):
        facts = told(self.PLANTED, "facts")
        facts["action_items"][0]["owner"] = "Priya Nair"
        facts["action_items"][1]["due"] = "2026-02-12"

        found = score(
            self.PLANTED, make(Model(facts), self.PLANTED.order("action_items"))
        )

        assert (found.wanted, found.found, found.kept, found.verified) == (2, 0, 2, 1)
        assert found.verified_share == 0.5
        assert [line.partition(":")[0] for line in found.missed] == ["action_items"] * 2

    def test_what_must_not_be_said_is_named_by_its_rule(self):
        quote = "we do not need the dryers any more"
        item = {"task": "Buy dryers", "evidence": {"quote": quote}}
        prose = {"summary": {"short": "It costs 1,900 dollars.", "bullets": []}}
        model = Model({"action_items": [item]}, prose)

        found = score(self.PLANTED, make(model, self.PLANTED.order("summary")))

        assert [hit.partition(":")[0] for hit in found.hits] == ["action_items", "any"]

    def test_the_total_adds_up(self):
        one = score(
            self.PLANTED,
            make(Model(told(self.PLANTED, "facts")), self.PLANTED.order("summary")),
        )

        both = total([one, one])

        assert (both.wanted, both.found) == (14, 14)
        assert both.tokens_input == 2 * one.tokens_input > 0
        assert json.dumps(both.verified_share) == "1.0"
        assert total([]).verified_share is None
