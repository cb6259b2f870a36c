"""Each type of facts over the whole walk, with a truthful and a lying upstream."""

import json
from typing import ClassVar

import pytest
from invoice_mail import LINK, MAIL, QUOTE, digest_of, evidence, warnings_of

ITEM = {
    "task": "Pay invoice 4711",
    "owner": "Ben Ito",
    "due": "2026-10-09",
    "due_text": "by Friday, 9 October",
    "status": "open",
    "evidence": evidence(),
}


class TestActionItems:
    def test_a_true_item_comes_back_verified_with_its_place(self, gateway, says):
        says({"action_items": [ITEM]})

        (item,) = digest_of(gateway.post(MAIL, "message/rfc822", type="action_items"))[
            "action_items"
        ]

        assert (item["owner"], item["due"]) == ("Ben Ito", "2026-10-09")
        assert item["evidence"]["verified"] is True
        assert item["evidence"]["quote"] == QUOTE
        assert item["evidence"]["part"] == "p1"

    @pytest.mark.parametrize(
        "lie",
        [
            {"evidence": evidence("Please pay it by Monday, 12 October.")},
            {"evidence": evidence("Please do not pay it by Friday, 9 October.")},
            {"evidence": evidence("")},
        ],
        ids=["changed", "negated", "empty"],
    )
    def test_an_item_with_a_false_quote_is_dropped_and_counted(
        self, gateway, says, lie
    ):
        says({"action_items": [ITEM | lie]})

        response = gateway.post(MAIL, "message/rfc822", type="action_items")

        assert digest_of(response)["action_items"] == []
        assert "quote_not_in_source" in warnings_of(response)

    def test_an_owner_from_nowhere_is_taken_off_and_the_item_is_not_verified(
        self, gateway, says
    ):
        says({"action_items": [ITEM | {"owner": "Carl Nobody"}]})

        response = gateway.post(MAIL, "message/rfc822", type="action_items")

        (item,) = digest_of(response)["action_items"]
        assert item["owner"] is None
        assert item["evidence"]["verified"] is False
        assert "owner_not_in_source" in warnings_of(response)

    def test_a_due_date_that_the_words_do_not_mean_is_taken_off(self, gateway, says):
        says({"action_items": [ITEM | {"due": "2026-10-12"}]})

        response = gateway.post(MAIL, "message/rfc822", type="action_items")

        (item,) = digest_of(response)["action_items"]
        assert item["due"] is None
        assert item["evidence"]["verified"] is False
        assert "due_not_derivable" in warnings_of(response)

    def test_a_missing_due_date_is_worked_out_from_its_words(self, gateway, says):
        says({"action_items": [ITEM | {"due": None}]})

        response = gateway.post(MAIL, "message/rfc822", type="action_items")

        assert digest_of(response)["action_items"][0]["due"] == "2026-10-09"

    def test_a_link_from_elsewhere_is_taken_out_of_the_wording(self, gateway, says):
        says({"action_items": [ITEM | {"task": f"Pay at {LINK} ![x]({LINK})"}]})

        response = gateway.post(MAIL, "message/rfc822", type="action_items")

        assert "evil.example" not in response.get_data(as_text=True)
        assert "link_not_in_source" in warnings_of(response)


class TestSummary:
    FACTS: ClassVar = {
        "points": [{"text": "Invoice 4711 is open", "evidence": evidence()}],
        "action_items": [ITEM],
        "decisions": [
            {
                "text": "Deliveries stop until the invoice is paid",
                "evidence": evidence("We decided to stop deliveries until then."),
            }
        ],
    }
    PROSE: ClassVar = {
        "summary": {"short": "Invoice 4711 must be paid.", "bullets": ["By 9."]}
    }

    def test_the_prose_is_written_from_verified_facts_and_never_from_the_mail(
        self, gateway, says, upstream
    ):
        says(self.FACTS, self.PROSE)

        digest = digest_of(gateway.post(MAIL, "message/rfc822"))

        assert digest["summary"]["short"] == "Invoice 4711 must be paid."
        assert digest["decisions"][0]["evidence"]["verified"] is True
        prose_prompt = json.dumps(upstream.requests[1].json)
        assert "Deliveries stop" in prose_prompt
        assert "I am not happy about it" not in prose_prompt

    def test_a_lie_reaches_neither_the_facts_nor_the_prompt_of_the_prose(
        self, gateway, says, upstream
    ):
        lie = {"text": "They will sue", "evidence": evidence("We will sue you.")}
        says(self.FACTS | {"decisions": [lie]}, self.PROSE)

        response = gateway.post(MAIL, "message/rfc822")

        assert digest_of(response)["decisions"] == []
        assert "sue" not in json.dumps(upstream.requests[1].json)
        assert "quote_not_in_source" in warnings_of(response)

    def test_without_a_provable_fact_the_summary_is_sentences_of_the_source(
        self, gateway, says
    ):
        says({"points": [{"text": "Made up", "evidence": evidence("Made up.")}]})

        response = gateway.post(MAIL, "message/rfc822")

        assert digest_of(response)["summary"]["short"] in MAIL.decode().replace(
            "\n", " "
        )
        assert "summary_extracted" in warnings_of(response)


class TestKeywords:
    def test_keywords_of_the_source_stay_and_others_go(self, gateway, says):
        says({"keywords": ["invoice", "deliveries", "bankruptcy"]})

        response = gateway.post(MAIL, "message/rfc822", type="keywords")

        assert digest_of(response)["keywords"] == ["invoice", "deliveries"]
        assert "keyword_not_in_source" in warnings_of(response)


class TestEntities:
    def test_entities_have_a_kind_and_a_place_and_inventions_go(self, gateway, says):
        found = [
            {"text": "1,250.00 EUR", "kind": "amount"},
            {"text": "Zurich", "kind": "location"},
        ]
        says({"entities": found})

        response = gateway.post(MAIL, "message/rfc822", type="entities")

        (entity,) = digest_of(response)["entities"]
        assert entity["kind"] == "amount"
        assert entity["evidence"]["length"] == len("1,250.00 EUR")
        assert "entity_not_in_source" in warnings_of(response)


class TestSentiment:
    def test_the_label_is_closed_and_carries_its_words(self, gateway, says):
        quote = "I am not happy about it"
        says({"sentiment": "negative", "evidence": evidence(quote)})

        digest = digest_of(gateway.post(MAIL, "message/rfc822", type="sentiment"))

        assert digest["sentiment"] == "negative"
        assert digest["sentiment_evidence"]["verified"] is True

    def test_words_that_nobody_wrote_are_marked_and_not_repeated(self, gateway, says):
        says({"sentiment": "positive", "evidence": evidence("I love it")})

        response = gateway.post(MAIL, "message/rfc822", type="sentiment")

        assert digest_of(response)["sentiment_evidence"]["verified"] is False
        assert "I love it" not in response.get_data(as_text=True)

    def test_a_label_outside_the_list_is_repaired_once(self, gateway, says):
        says({"sentiment": "furious"}, {"sentiment": "negative"})

        digest = digest_of(gateway.post(MAIL, "message/rfc822", type="sentiment"))

        assert digest["sentiment"] == "negative"


class TestClassification:
    BODY: ClassVar = {
        "prompt": MAIL.decode(),
        "source": "email",
        "type": "classification",
        "variables": {"labels": ["complaint", "praise"]},
    }

    def test_the_label_is_one_of_the_callers(self, gateway, says):
        says({"label": "Complaint", "evidence": evidence("I am not happy about it")})

        digest = digest_of(gateway.post(self.BODY))

        assert digest["label"] == "complaint"
        assert digest["label_evidence"]["verified"] is True

    def test_another_label_is_a_typed_failure_after_one_repair(
        self, gateway, says, upstream
    ):
        says({"label": "spam"})

        response = gateway.post(self.BODY)

        assert response.status_code == 502
        assert response.get_json()["code"] == "LLM_PROTOCOL_ERROR"
        assert len(upstream.requests) == 2

    @pytest.mark.parametrize(
        "labels", [None, [], ["one"], "one", 5], ids=["no", "empty", "one", "text", "5"]
    )
    def test_labels_that_leave_no_choice_are_refused(self, gateway, labels):
        response = gateway.post(self.BODY | {"variables": {"labels": labels}})

        assert response.status_code == 400
        assert response.get_json()["fields"][0]["path"] == "variables.labels"
