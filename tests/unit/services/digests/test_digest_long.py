"""Documents longer than a window: every type, the same facts as in one call."""

import json
import re
import threading

import pytest
from digest_fakes import COST
from digest_fakes import call as make_call
from digest_orders import LABELS, codes
from long_meetings import (
    NAMES,
    TURN,
    ReadingModel,
    digests,
    make,
    meeting,
    order,
    tasks_of,
)

from flaskllm.core.errors import LLMContextTooLong, LLMUnavailable
from flaskllm.services.digests.gathering import TooManyCallsError
from flaskllm.services.digests.types import DigestOrder

LONG = meeting(300)


def turns_of(prompt):
    return [turn for turn, _ in TURN.findall(prompt)]


class TestFacts:
    def test_every_fact_of_a_long_meeting_is_found_once_and_in_order(self):
        result = make(ReadingModel(), order(LONG))

        items = result.digest.action_items
        assert [item.task for item in items] == [
            f"Send draft {n}" for n in range(10, 301, 10)
        ]
        assert all(item.evidence.verified for item in items)
        assert [item.evidence.turn for item in items][:2] == ["t10", "t20"]

    def test_it_is_the_digest_that_a_large_window_makes(self):
        long = make(ReadingModel(8192), order(LONG))
        short = make(ReadingModel(128_000), order(LONG))

        assert long.digest == short.digest

    def test_the_summary_is_written_once_from_the_facts_of_all_pieces(self):
        model = ReadingModel()

        result = make(model, order(LONG, "summary"))

        assert result.digest.summary.short == "Drafts: 30."
        assert sum('"fact"' in prompt for prompt in model.requests) == 1
        assert len(model.requests) > 5
        assert result.usage == sum([COST] * (len(model.requests) - 1), start=COST)

    def test_facts_that_are_too_many_for_the_prose_are_left_out_of_it_and_told(self):
        # The prompts take about 1,800 tokens of this window.
        result = make(ReadingModel(3500), order(meeting(400, every=1), "summary"))

        assert len(result.digest.action_items) == 400
        assert "facts_left_out" in codes(result)
        told = int(re.search("[0-9]+", result.digest.summary.short)[0])
        assert 8 <= told < 400

    def test_pieces_are_cut_by_what_is_sent_where_names_are_hidden(self):
        crowd = ", ".join(NAMES * 6)
        said = {n: f"{crowd} were there, {n} times." for n in range(100) if n % 10}

        def read(prompt):
            # The speaker in the heading of a turn is hidden in brackets of its own.
            return tasks_of(prompt.replace("]]\n", "]\n"))

        wanted = order(meeting(100, extra=said), redact=True)
        result = make(ReadingModel(4096, read=read), wanted)

        assert len(result.digest.action_items) == 10
        assert all(item.evidence.verified for item in result.digest.action_items)

    def test_what_was_taken_back_in_a_later_piece_is_not_open(self):
        later = "We do not need the draft 10 any more, drop it."

        def read(prompt):
            told = tasks_of(prompt)
            if later in prompt:
                item = {"task": "Send draft 10", "status": "retracted"}
                item["evidence"] = {"quote": later}
                told["action_items"].append(item)
            return told

        result = make(ReadingModel(read=read), order(meeting(300, extra={255: later})))

        [item] = [i for i in result.digest.action_items if i.task == "Send draft 10"]
        assert (item.status, item.evidence.turn) == ("retracted", "t255")

    def test_a_quote_from_the_middle_of_a_part_that_was_cut_has_its_place(self):
        monologue = " ".join(f"Remark {n} is about the crane." for n in range(1500))
        quotes = []

        def read(prompt):
            found = re.findall(r"Remark \d+ is about the crane\.", prompt)
            quotes.append(found)
            facts = [{"text": found[0], "evidence": {"quote": found[-1], "part": "p1"}}]
            return {"decisions": facts, "summary": {"short": "It is.", "bullets": []}}

        wanted = DigestOrder(content=monologue.encode(), media_type="text/plain")
        result = make(ReadingModel(read=read), wanted)

        assert len(result.digest.decisions) == len(quotes) - 1 > 3
        for decision in result.digest.decisions:
            place = decision.evidence
            end = place.offset + place.length
            assert monologue[place.offset : end] == place.quote

    def test_no_word_comes_from_a_model_that_lies_about_pieces(self):
        lie = {"task": "Sue", "evidence": {"quote": "We will sue.", "turn": "t1"}}

        result = make(
            ReadingModel(read=lambda prompt: {"action_items": [lie]}), order(LONG)
        )

        assert result.digest.action_items == ()
        assert "quote_not_in_source" in codes(result)


class TestOtherTypes:
    def test_keywords_and_entities_are_those_of_all_pieces(self):
        words = {"keywords": ["crane", "paint"]}
        found = {"entities": [{"text": "Cleo", "kind": "person"}]}
        said = meeting(300, extra={3: "Cleo has left.", 290: "Ask Cleo."})

        keywords = make(ReadingModel(read=lambda _: words), order(LONG, "keywords"))
        entities = make(ReadingModel(read=lambda _: found), order(said, "entities"))

        assert keywords.digest.keywords == ("crane", "paint")
        assert [each.text for each in entities.digest.entities] == ["Cleo"]

    def test_a_label_is_that_of_most_of_the_text(self):
        def read(prompt):
            label = "praise" if "t1" in turns_of(prompt) else "complaint"
            return {"label": label, "quote": "the paint is coming off"}

        wanted = order(LONG, "classification", variables=LABELS)
        result = make(ReadingModel(read=read), wanted)

        assert result.digest.label == "complaint"

    def test_a_translation_is_joined_and_no_turn_is_translated_twice(self):
        seen = []

        def read(prompt):
            seen.append(turns_of(prompt))
            texts = [text for _, text in TURN.findall(prompt)]
            return {"translation": "\n".join(texts)}

        wanted = order(LONG, "translation", language="en")
        result = make(ReadingModel(read=read), wanted)

        assert sorted(turn for turns in seen for turn in turns) == sorted(
            f"t{n}" for n in range(1, 301)
        )
        numbers = re.findall(r"remark (\d+)", result.digest.translation)
        assert numbers == [str(n) for n in range(1, 301) if n % 10]

    def test_lists_of_a_caller_s_own_are_put_together(self):
        items = {"type": "array", "items": {"type": "string"}}
        schema = {"type": "object", "properties": {"turns": items}}

        wanted = order(LONG, "custom", variables={"schema": schema})
        read = ReadingModel(read=lambda prompt: {"turns": turns_of(prompt)})
        result = make(read, wanted)

        assert result.digest.custom == {"turns": [f"t{n}" for n in range(1, 301)]}


class TestCalls:
    def test_so_many_pieces_are_asked_about_at_once(self):
        model = ReadingModel()
        pieces = len(digests(model).plan(order(LONG), make_call()).pieces)
        model.meet = threading.Barrier(pieces)

        make(model, order(LONG), at_once=pieces)

        assert model.most_under_way == pieces

    def test_more_calls_than_somebody_waits_for_are_not_made(self):
        model = ReadingModel()

        with pytest.raises(TooManyCallsError):
            digests(model).make(order(LONG), make_call(), most_calls=3)

        assert model.requests == []

    def test_a_piece_that_nobody_can_answer_fails_the_digest(self):
        model = ReadingModel()
        model.fails_on, model.error = "[t150 |", LLMUnavailable(details="Gone.")

        with pytest.raises(LLMUnavailable):
            make(model, order(LONG), at_once=2)

    @pytest.mark.parametrize("at_once", [1, 4])
    def test_what_was_kept_of_the_pieces_is_not_asked_again(self, at_once):
        """As in a worker: pieces that were done stay done, also with other settings."""
        kept = {}

        def keep(name, function):
            if name not in kept:
                kept[name] = json.dumps(function())
            return json.loads(kept[name])

        model = ReadingModel()
        model.fails_on, model.error = "[t250 |", LLMUnavailable(details="Gone.")
        with pytest.raises(LLMUnavailable):
            digests(model, at_once).make(order(LONG), make_call(), keep=keep)
        done = [name for name in kept if name != "plan"]
        assert done

        wider = ReadingModel(9000)
        result = digests(wider, at_once).make(order(LONG), make_call(), keep=keep)

        assert len(wider.requests) == len(kept) - 1 - len(done)
        assert result.digest == make(ReadingModel(), order(LONG)).digest

    def test_a_whole_run_that_was_recorded_needs_no_model(self):
        recorded = {}

        def record(name, function):
            recorded[name] = json.dumps(function())
            return json.loads(recorded[name])

        first = digests(ReadingModel()).make(
            order(LONG, "summary"), make_call(), record
        )
        again = digests(None).make(
            order(LONG, "summary"),
            make_call(),
            lambda name, function: json.loads(recorded[name]),
        )

        assert again.digest == first.digest
        assert [*recorded] == ["facts", "prose"]

    def test_an_answer_that_cannot_be_repeated_for_its_repair_is_asked_for_anew(self):
        said = []

        def read(prompt):
            said.append(prompt)
            return "x" * 9000 if len(said) == 1 else tasks_of(prompt)

        model = ReadingModel(read=read)
        ask = model.complete

        def complete(request, call=None):
            if len(request.messages) > 2:
                raise LLMContextTooLong(details="Too long.")
            return ask(request, call)

        model.complete = complete
        result = make(model, order(LONG))

        assert len(result.digest.action_items) == 30
        assert said[0] == said[1]


@pytest.mark.no_cover
def test_a_four_hour_meeting_goes_through_an_eight_thousand_token_window():
    content = meeting(1200)
    assert len(content.split()) > 55_000
    model = ReadingModel(8192)

    result = make(model, order(content, "summary"))

    assert len(result.digest.action_items) == 120
    assert len(model.requests) < 40
