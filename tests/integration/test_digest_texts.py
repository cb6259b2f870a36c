"""Each type of text over the whole walk, with a truthful and a lying upstream."""

import json
from typing import ClassVar

import pytest
from invoice_mail import LINK, MAIL, digest_of, evidence, warnings_of


class TestReply:
    FACTS: ClassVar = {
        "points": [{"text": "Invoice 4711 is open", "evidence": evidence()}]
    }

    def test_the_draft_comes_from_the_facts(self, gateway, says):
        draft = "Hello Ada, I will pay invoice 4711 by 9 October."
        says(self.FACTS, {"reply_draft": draft})

        response = gateway.post(MAIL, "message/rfc822", type="reply")

        assert digest_of(response)["reply_draft"] == draft
        assert response.get_json()["data"]["text"] == draft

    def test_sentences_with_foreign_numbers_links_and_addresses_are_left_out(
        self, gateway, says
    ):
        draft = (
            f"Hello Ada. I will pay. I send 9999 EUR. See {LINK} now. "
            "Write to eve@evil.example please."
        )
        says(self.FACTS, {"reply_draft": draft})

        response = gateway.post(MAIL, "message/rfc822", type="reply")

        assert digest_of(response)["reply_draft"] == "Hello Ada. I will pay."
        assert {"link_not_in_source", "number_not_in_source"} <= warnings_of(response)

    def test_a_draft_of_which_nothing_holds_is_a_typed_failure(self, gateway, says):
        says(self.FACTS, {"reply_draft": f"See {LINK}"})

        response = gateway.post(MAIL, "message/rfc822", type="reply")

        assert response.get_json()["code"] == "LLM_PROTOCOL_ERROR"


class TestTranslation:
    GOOD: ClassVar = (
        "Hallo Ben, die Rechnung 4711 über 1,250.00 EUR ist noch offen und ich bin "
        "darüber nicht froh. Bitte bezahle sie bis Freitag, 9. Oktober. Einzelheiten "
        "stehen unter https://pay.example.com/4711. Wir haben beschlossen, die "
        "Lieferungen bis dahin einzustellen. Ada"
    )

    def test_numbers_and_links_are_kept(self, gateway, says):
        says({"translation": self.GOOD})

        response = gateway.post(
            MAIL, "message/rfc822", type="translation", language="de"
        )

        assert digest_of(response)["translation"] == self.GOOD
        assert not [code for code in warnings_of(response) if "translation" in code]

    @pytest.mark.parametrize(
        ("lie", "code"),
        [
            (GOOD.replace("1,250.00", "2,250.00"), "translation_number_missing"),
            (
                GOOD.replace("pay.example.com/4711", "pay.example.com"),
                "translation_link_missing",
            ),
            ("Hallo Ben, 4711 1,250.00 9", "translation_too_short"),
        ],
        ids=["number", "link", "cut"],
    )
    def test_what_is_lost_is_repaired_once_then_warned_of(
        self, gateway, says, upstream, lie, code
    ):
        says({"translation": lie})

        response = gateway.post(
            MAIL, "message/rfc822", type="translation", language="de"
        )

        assert code in warnings_of(response)
        assert len(upstream.requests) == 2

    def test_a_good_repair_leaves_no_warning(self, gateway, says):
        says({"translation": "Hallo"}, {"translation": self.GOOD})

        response = gateway.post(
            MAIL, "message/rfc822", type="translation", language="de"
        )

        assert digest_of(response)["translation"] == self.GOOD
        assert "translation_too_short" not in warnings_of(response)

    def test_another_language_than_asked_is_repaired_once_then_warned_of(
        self, gateway, says, upstream
    ):
        says({"translation": MAIL.decode().split("\n\n", 1)[1]})

        response = gateway.post(
            MAIL, "message/rfc822", type="translation", language="de"
        )

        assert "language_not_as_asked" in warnings_of(response)
        assert len(upstream.requests) == 2

    def test_a_target_language_is_needed(self, gateway):
        response = gateway.post(MAIL, "message/rfc822", type="translation")

        assert response.status_code == 400
        assert response.get_json()["fields"][0]["path"] == "language"


class TestCustom:
    SCHEMA: ClassVar = {
        "type": "object",
        "properties": {"number": {"type": "integer"}, "link": {"type": "string"}},
        "required": ["number"],
        "additionalProperties": False,
    }

    def body(self, schema):
        return {
            "prompt": MAIL.decode(),
            "source": "email",
            "type": "custom",
            "variables": {"schema": schema},
        }

    def test_the_object_is_valid_against_the_callers_schema(self, gateway, says):
        says({"number": 4711})

        response = gateway.post(self.body(self.SCHEMA))

        assert digest_of(response)["custom"] == {"number": 4711}
        assert json.loads(response.get_json()["data"]["text"]) == {"number": 4711}

    @pytest.mark.parametrize(
        "lie",
        [{"number": "many"}, {"number": 1, "extra": 2}, {"number": 1, "link": LINK}],
        ids=["type", "extra", "foreign link"],
    )
    def test_an_object_that_does_not_hold_is_a_typed_failure_after_one_repair(
        self, gateway, says, upstream, lie
    ):
        says(lie)

        response = gateway.post(self.body(self.SCHEMA))

        assert response.get_json()["code"] == "LLM_PROTOCOL_ERROR"
        assert len(upstream.requests) == 2

    @pytest.mark.parametrize(
        "schema",
        [
            None,
            "{",
            {"type": "array"},
            {"type": "object", "properties": {"a": {"pattern": "(a+)+$"}}},
            {"type": "object", "$ref": "http://127.0.0.1/schema"},
            {"type": "object", "required": 5},
        ],
        ids=["missing", "no json", "array", "pattern", "reference", "no schema"],
    )
    def test_schemas_that_we_do_not_take_name_the_field(self, gateway, schema):
        response = gateway.post(self.body(schema))

        assert response.status_code == 400
        assert response.get_json()["fields"][0]["path"] == "variables.schema"
