"""With redaction nothing that names somebody reaches an upstream; all comes back."""

import json
import re

import pytest
from planted import EXPECTED, FOLDER, facts_of, reference_time_of

from flaskllm.services.digests.order import read_document
from flaskllm.services.digests.redaction import Redaction
from flaskllm.services.digests.types import DigestOrder

# "Dev" and "Sam" of the launch review are words and names of two people, too.
LAUNCH = "planted-launch-review.zoom.vtt"
NAMES = [name for name in EXPECTED if not name.startswith("planted-")]
MEDIA_TYPES = {".eml": "message/rfc822", ".vtt": "text/vtt"}
SECRETS = [
    "falk.brenner+x@privat.example",
    "+49 151 23456789",
    "06 12 34 56 78",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "86095742719",
    "12345678Z",
    "123-45-6789",
    "RSSMRA85T10A562S",
    "471188997123",
    "Falk Brenner",
]
SETTINGS = """
providers:
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  small: {{provider: box, model: scripted-1, context_window: 32000}}
routes:
  - {{alias: scripted, deployments: {{small: 1}}}}
default_route: scripted
privacy: {{names: [Falk Brenner]}}
"""
PLAIN_PROSE = {"summary": {"short": "There is news.", "bullets": []}}
PROSE = {"summary": {"short": "[PERSON_1] wrote.", "bullets": ["Ask PERSON_2."]}}


@pytest.fixture
def gateway(make_gateway, upstream):
    return make_gateway(SETTINGS.format(url=upstream.url))


def flat(value):
    """Return all texts of plain JSON, unescaped."""
    if isinstance(value, dict):
        return "\n".join(map(flat, value.values()))
    return "\n".join(map(flat, value)) if isinstance(value, list) else str(value)


def seeded(name):
    """Return a planted document with one of each kind of secret in it."""
    content = (FOLDER / name).read_bytes()
    line = " ; ".join(SECRETS).encode()
    if name.endswith(".eml"):
        return content + b"\n\n" + line + b"\n"
    cue = b"\n\n99\n00:59:01.000 --> 00:59:07.000\nFalk Brenner: "
    return content.rstrip() + cue + line + b"\n"


def order_of(name):
    return DigestOrder(seeded(name), media_type=MEDIA_TYPES[name[-4:]])


def ask(gateway, name, **given):
    given = {"reference_time": reference_time_of(name), "type": "summary", **given}
    response = gateway.post(seeded(name), MEDIA_TYPES[name[-4:]], **given)
    assert response.status_code == 200, response.get_data(as_text=True)
    return response.get_json()["data"]["digest"]


def names_in(document):
    """Return each word of at least three letters of the names of a document."""
    people = [person.name or "" for person in document.participants]
    words = re.findall(r"[^\W\d_]{3,}", " ".join(people))
    return sorted(set(words) - {"Team"})


@pytest.mark.parametrize("name", [*NAMES, LAUNCH])
def test_no_byte_of_a_secret_is_sent_and_every_fact_is_proved(
    gateway, says, upstream, name
):
    document = read_document(order_of(name))
    redaction = Redaction.of(document, ["Falk Brenner"])
    says(facts_of(name), PLAIN_PROSE)
    plain = ask(gateway, name)
    upstream.requests.clear()
    says(redaction.hide_json(facts_of(name)), PROSE)

    digest = ask(gateway, name, redact="true")

    sent = b"\n".join(
        request.path.encode() + repr(dict(request.headers)).encode() + request.body
        for request in upstream.requests
    )
    said = "\n".join(flat(json.loads(request.body)) for request in upstream.requests)
    assert len(upstream.requests) == 2
    for secret in SECRETS:
        assert secret.encode() not in sent
        assert secret not in said
    for word in names_in(document):
        assert not re.search(rf"(?<![^\W_]){word}(?![^\W_])", said), word
    for kind in ("action_items", "decisions", "dates", "amounts", "risks"):
        assert digest[kind] == plain[kind], kind
        assert all(fact["evidence"]["verified"] for fact in digest[kind])
    assert digest["participants"] == plain["participants"]
    assert "PERSON" not in json.dumps(digest)


def test_what_a_repair_repeats_is_redacted_too(gateway, says, upstream):
    says("no JSON, [PERSON_1]", {"action_items": []})

    ask(gateway, "mail-de.eml", type="action_items", redact="true")

    (_, repair) = upstream.requests
    said = [message["content"] for message in repair.json["messages"]]
    assert "no JSON, [PERSON_1]" in said
    assert "Brandt" not in flat(repair.json)


def test_a_placeholder_that_the_model_made_up_is_taken_out_with_a_warning(
    gateway, says
):
    quote = "Ich schicke Ihnen den Vertrag bis übermorgen."
    item = {"task": "Send it to [PERSON_99]", "owner": "[PERSON_98]"}
    says({"action_items": [{**item, "evidence": {"quote": quote}}]})

    digest = ask(gateway, "mail-de.eml", type="action_items", redact="true")

    (told,) = digest["action_items"]
    assert (told["task"], told["owner"]) == ("Send it to", None)
    assert any(line.startswith("placeholder_unknown:") for line in digest["warnings"])


def test_texts_of_the_caller_are_redacted_as_well(gateway, says, upstream):
    says({"label": "Falk Brenner", "evidence": {"quote": "x"}})
    labels = json.dumps({"labels": ["Falk Brenner", "ada@example.com"]})

    ask(gateway, "mail-de.eml", type="classification", redact="true", variables=labels)

    said = "\n".join(flat(request.json) for request in upstream.requests)
    assert "Brenner" not in said
    assert "ada@example.com" not in said


def test_the_settings_redact_unless_the_request_says_otherwise(
    make_gateway, says, upstream
):
    settings = SETTINGS.replace("privacy: {{", "privacy: {{redact: true, ")
    gateway = make_gateway(settings.format(url=upstream.url))
    says({"keywords": []})

    ask(gateway, "mail-de.eml", type="keywords")
    ask(gateway, "mail-de.eml", type="keywords", redact="false")

    hidden, shown = (flat(request.json) for request in upstream.requests)
    assert "Brandt" not in hidden
    assert "Brandt" in shown


def test_what_a_schema_of_the_caller_says_is_redacted_and_its_fields_are_not(
    gateway, says, upstream
):
    said = {
        "type": "array",
        "items": {"enum": ["Falk Brenner"]},
        "description": "x@y.de",
    }
    schema = {"type": "object", "properties": {"who": said}}
    says({"who": ["[PERSON_3]"]})

    digest = ask(
        gateway,
        "mail-de.eml",
        type="custom",
        redact="true",
        variables=json.dumps({"schema": schema}),
    )

    (request,) = upstream.requests
    assert "Brenner" not in flat(request.json)
    assert "x@y.de" not in flat(request.json)
    assert "who" in json.dumps(request.json)
    assert digest["custom"] == {"who": ["Falk Brenner"]}
