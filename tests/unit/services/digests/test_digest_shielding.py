"""What an order says counts also where no operator says anything."""

from digest_orders import order

from flaskllm.services.digests.order import read_document
from flaskllm.services.digests.shielding import NO_SHIELD, shield_of, texts_of


def test_without_privacy_only_the_order_redacts():
    plain, wanted = order(), order(redact=True)
    document = read_document(plain)

    assert shield_of(plain, document, None) == NO_SHIELD
    shield = shield_of(wanted, document, None)
    assert shield.text("Ada Quist") == "[PERSON_1]"
    assert shield.found == {}


def test_every_value_of_the_caller_is_looked_at():
    variables = {"labels": ["one", {"deep": 4111}], "tone": "kind", "none": None}
    wanted = order(variables=variables)

    found = list(texts_of(wanted, read_document(wanted)))

    assert {"one", "4111", "kind"} <= set(found)
