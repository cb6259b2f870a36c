"""Facts of pieces become the facts of one document: each once, in its order."""

import pytest
from digest_fakes import ground, part

from flaskllm.core.errors import InvalidInputError
from flaskllm.services.digests.case import Case
from flaskllm.services.digests.merging import MOST_KEYWORDS, Told, can_merge, merge
from flaskllm.services.digests.types import (
    ActionItem,
    DigestOrder,
    EntityFact,
    Evidence,
    Statement,
)

TURNS = [part(f"Turn number {n} says a thing.", f"t{n}", "turn") for n in range(9)]
CASE = Case(DigestOrder(b""), ground(*TURNS))


def evidence(turn=1, offset=0, length=10, quote="Turn number", verified=True):
    return Evidence(quote, verified, turn=f"t{turn}", offset=offset, length=length)


def fact(text="It is so", **where):
    return Statement(text, evidence(**where))


def item(task="Send it", owner=None, due=None, status="open", **where):
    return ActionItem(task, owner, due, due and "Friday", status, evidence(**where))


def merged(name, *groups, case=CASE, **weights):
    told = [Told({name: tuple(group)}, 100) for group in groups]
    return merge(told, case)[name]


class TestFacts:
    @pytest.mark.parametrize(
        "again",
        [
            fact("In other words", turn=1),
            fact("A part of it", turn=1, offset=4, length=6),
        ],
        ids=["the same place", "most of the shorter quote"],
    )
    def test_what_two_pieces_quote_is_one_fact(self, again):
        assert merged("decisions", [fact()], [again]) == (fact(),)

    def test_the_same_long_quote_in_two_parts_is_one_fact(self):
        first = fact(turn=1, quote="We launch on the fourth of May")
        again = fact(turn=5, quote="we launch on the fourth of May")

        assert merged("decisions", [first], [again]) == (first,)

    @pytest.mark.parametrize(
        "other",
        [
            fact("Another", turn=2),
            fact("Another", turn=1, offset=9, length=10),
            fact("Another", turn=5, quote="Turn number"),
        ],
        ids=["another turn", "a little overlap", "few words elsewhere"],
    )
    def test_what_stands_elsewhere_is_another_fact(self, other):
        assert merged("points", [fact()], [other]) == (fact(), other)

    def test_what_one_answer_tells_apart_is_apart(self):
        both = [fact("We launch"), fact("Ben owns it")]

        assert merged("decisions", both, []) == tuple(both)

    def test_facts_stand_in_the_order_of_the_document(self):
        late, early = fact("Late", turn=7), fact("Early", turn=2)

        assert merged("risks", [late], [early]) == (early, late)

    def test_the_one_that_holds_in_all_stays(self):
        bad, good = fact("Bad", verified=False), fact("Good")

        assert merged("points", [bad], [good]) == (good,)

    def test_a_task_takes_from_the_other_what_it_lacks(self):
        first = item(owner="Ada")
        again = item("Send it to Ben", due="2026-10-09")

        [told] = merged("action_items", [first], [again])

        assert (told.task, told.owner, told.due) == ("Send it", "Ada", "2026-10-09")

    def test_a_task_that_one_piece_knows_to_be_done_is_done(self):
        [told] = merged("action_items", [item()], [item(status="done")])

        assert told.status == "done"

    def test_what_was_taken_back_later_is_not_open_any_more(self):
        told = merged(
            "action_items",
            [item("Book the security review", turn=1)],
            [item("Security review booking", status="retracted", turn=8)],
        )

        assert [each.status for each in told] == ["retracted"]


class TestOthers:
    def test_keywords_that_more_pieces_name_come_first(self):
        told = merged("keywords", ["crane", "paint"], ["Paint"], ["arm", "PAINT"])

        assert told == ("paint", "crane", "arm")

    def test_keywords_are_no_more_than_of_a_short_document(self):
        groups = [[f"word {n} {m}" for n in range(9)] for m in range(5)]

        assert len(merged("keywords", *groups)) == MOST_KEYWORDS

    def test_an_entity_is_named_once(self):
        first = EntityFact("Ada Quist", "person", evidence())
        again = EntityFact("ADA QUIST", "person", evidence(turn=4))

        assert merged("entities", [first], [again]) == (first,)

    @pytest.mark.parametrize(
        ("given", "kept"),
        [(("low", "urgent", None), "urgent"), ((None, None), None)],
    )
    def test_one_urgent_matter_makes_a_document_urgent(self, given, kept):
        told = [Told({"priority": each}, 1) for each in given]

        assert merge(told, CASE) == {"priority": kept}

    @pytest.mark.parametrize(
        ("weights", "kept", "quote"),
        [
            ({"neutral": 60, "negative": 40}, "neutral", "neutral"),
            ({"positive": 50, "negative": 30, "neutral": 20}, "mixed", "positive"),
            ({"positive": 90, "negative": 10}, "positive", "positive"),
        ],
    )
    def test_a_mood_holds_of_most_of_the_text(self, weights, kept, quote):
        told = [
            Told(
                {"sentiment": mood, "sentiment_evidence": evidence(quote=mood)}, weight
            )
            for mood, weight in weights.items()
        ]

        fields = merge(told, CASE)

        assert fields["sentiment"] == kept
        assert fields["sentiment_evidence"].quote == quote

    def test_a_label_is_proved_where_it_can_be(self):
        told = [
            Told({"label": "bill", "label_evidence": evidence(verified=good)}, weight)
            for weight, good in ((90, False), (20, True))
        ]

        assert merge(told, CASE)["label_evidence"].verified

    def test_translations_are_joined_where_they_were_cut(self):
        told = [
            Told({"translation": "Eins."}, 1),
            Told({"translation": "Zwei."}, 1),
            Told({"translation": "Drei."}, 1, continues=True),
        ]

        assert merge(told, CASE) == {"translation": "Eins.\n\nZwei. Drei."}

    def test_one_piece_stays_as_it_is(self):
        assert merge([Told({"keywords": ("A", "a")}, 1)], CASE) == {
            "keywords": ("A", "a")
        }


LISTS = {"type": "object", "properties": {"names": {"type": "array"}}}


class TestCustom:
    def merge(self, schema, *groups):
        case = Case(DigestOrder(b""), ground(*TURNS), schema=schema)
        told = [Told({"custom": {"names": list(group)}}, 1) for group in groups]
        return merge(told, case)["custom"]

    def test_lists_are_put_together_and_equal_items_stand_once(self):
        told = self.merge(LISTS, ["Ada", {"x": 1}], [{"x": 1}, "Ben"])

        assert told == {"names": ["Ada", {"x": 1}, "Ben"]}

    def test_lists_that_the_schema_does_not_take_are_refused(self):
        few = {
            "type": "object",
            "properties": {"names": {"type": "array", "maxItems": 1}},
        }

        with pytest.raises(InvalidInputError) as caught:
            self.merge(few, ["Ada"], ["Ben"])

        assert caught.value.fields[0].path == "variables.schema"

    @pytest.mark.parametrize(
        ("schema", "is_fit"),
        [
            (LISTS, True),
            ({"type": "object"}, False),
            ({"type": "object", "properties": {"a": {"type": "string"}}}, False),
            ({"type": "object", "properties": {"a": True}}, False),
            ({"type": "object", "properties": {}}, False),
        ],
    )
    def test_only_lists_can_be_put_together(self, schema, is_fit):
        assert can_merge(schema) is is_fit
