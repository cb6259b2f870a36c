"""What is said of an inbound endpoint, and which mail it wants."""

import json

import pytest
from mail_sender_scene import TOPIC, der, pem, policy_key

from flaskllm.inputs.senders.catalogue import SENDERS
from flaskllm.services.inbound.checks import faults, order_of
from flaskllm.services.inbound.terms import InboundTerms, terms_of, to_json

LONG = "a-secret-of-16-and-more"
KEY = der(policy_key())
SHOWN = "whsec_" + "A" * 32
OF = {("sendgrid", "secret"): KEY, ("fathom", "secret"): SHOWN}


@pytest.mark.parametrize(
    ("allowed", "recipients", "wanted"),
    [
        ((), ("a@x.example",), True),
        ((), (), True),
        (("a@x.example",), ("a@x.example",), True),
        (("a@x.example",), ("b@x.example", "a@x.example"), True),
        (("a@x.example",), ("b@x.example",), False),
        (("@x.example",), ("b@x.example",), True),
        (("@x.example",), ("b@sub.x.example",), False),
        (("@x.example",), ("b@x.example.evil.example",), False),
        (("a@x.example",), (), False),
    ],
)
def test_mail_is_wanted_for_those_who_are_listed(allowed, recipients, wanted):
    assert InboundTerms(recipients=allowed).wants(recipients) is wanted


def test_terms_come_back_from_what_is_kept_and_empty_ones_are_not_kept():
    terms = terms_of(
        {
            "secret": LONG,
            "topics": ["arn:a"],
            "recipients": [" A@X.example "],
            "digest": {"variables": {"labels": ["a", "b"]}},
            "api_key": None,
            "name": "no term",
        }
    )

    assert terms.recipients == ("a@x.example",)
    assert terms_of(json.loads(to_json(terms))) == terms
    assert "api_key" not in json.loads(to_json(terms))


@pytest.mark.parametrize("name", sorted(SENDERS))
def test_each_set_of_what_a_sender_wants_is_enough_and_none_is_not(name):
    values = {"topics": (TOPIC,)}
    sets = SENDERS[name].wants

    for wanted in sets:
        said = {each: values.get(each) or OF.get((name, each), LONG) for each in wanted}
        assert [*faults(name, InboundTerms(**said))] == []
    assert [*faults(name, InboundTerms())] != []


@pytest.mark.parametrize(
    ("name", "said", "paths"),
    [
        ("sendgrid", {"username": "u"}, ["password"]),
        ("sendgrid", {"secret": KEY, "username": "u"}, ["password"]),
        ("sendgrid", {"secret": KEY, "password": LONG}, ["username"]),
        ("mailgun", {}, ["secret"]),
        ("postmark", {}, ["username", "password"]),
        ("postmark", {"username": "u:v", "password": "x"}, ["password", "username"]),
        ("zoom", {"secret": "s", "recipients": ("a@x",)}, ["recipients"]),
        ("generic", {"secret": LONG, "recipients": ("x",)}, ["recipients"]),
        ("generic", {"secret": LONG, "mapping": {"a": "$.a"}},
         ["mapping.a", "mapping.content"]),
        ("zoom", {"secret": "s", "callback_url": "u", "endpoint": "e"}, ["endpoint"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(name, said, paths):
    assert [each.path for each in faults(name, InboundTerms(**said))] == paths


@pytest.mark.parametrize(
    ("name", "said", "path"),
    [
        ("sendgrid", {"secret": LONG}, "secret"),
        ("sendgrid", {"secret": KEY[:-8]}, "secret"),
        ("fathom", {"secret": LONG}, "secret"),
        ("fathom", {"secret": "whsec_"}, "secret"),
        ("fathom", {"secret": "whsec_a b"}, "secret"),
        ("zoom", {"secret": f"{LONG}\n"}, "secret"),
        ("mailgun", {"secret": "two words"}, "secret"),
        ("fireflies", {"secret": "über"}, "secret"),
        ("fireflies", {"secret": LONG, "api_key": "Bearer x"}, "api_key"),
        ("read_ai", {"secret": "two words"}, "secret"),
        ("graph", {"secret": "s" * 129}, "secret"),
        ("generic", {"secret": f"{LONG} "}, "secret"),
        ("generic", {"secret": f"{LONG}\n{LONG}"}, "secret"),
        ("generic", {"secret": f"{LONG}\u20ac"}, "secret"),
        ("ses", {"topics": ("arn:aws:sns:x",)}, "topics"),
        ("ses", {"topics": (TOPIC,), "secret": LONG}, "secret"),
        ("postmark", {"username": "u", "password": LONG, "secret": LONG}, "secret"),
        ("zoom", {"secret": LONG, "username": "u", "password": LONG}, "username"),
        ("generic", {"secret": LONG, "recipients": ("@x",),
                     "mapping": {"content": "$.a"}}, "recipients"),
        ("generic", {"secret": LONG,
                     "mapping": {"content": "$.a", "source": "meetings"}},
         "mapping.source"),
        ("generic", {"secret": LONG, "mapping": {"content": "a b"}}, "mapping.content"),
        ("generic", {"secret": LONG, "mapping": {"content": "$..a"}},
         "mapping.content"),
        ("generic", {"secret": LONG, "mapping": {"content": "$.a", "conten": "$.a"}},
         "mapping.conten"),
        ("generic", {"secret": LONG, "mapping": {"subject": "$.a"}},
         "mapping.content"),
    ],
)  # fmt: skip
def test_what_could_never_match_is_refused_and_not_repeated(name, said, path):
    found = [*faults(name, InboundTerms(**said))]

    assert path in [each.path for each in found]
    told = " ".join(f"{each.problem} {each.allowed}" for each in found)
    assert all(each.allowed for each in found)
    assert not any("allowed" in each.problem for each in found)
    assert LONG not in told
    assert KEY[:-8] not in told


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sendgrid", {"secret": pem(policy_key())}),
        ("read_ai", {"secret": f"{'A' * 44}\n"}),
        ("fathom", {"secret": f"{SHOWN}\n"}),
        ("graph", {"secret": "s" * 128}),
        ("graph", {"secret": " korrekt für graph, \u20ac "}),
        ("generic", {"secret": "correct horse battery staple"}),
        ("generic", {"secret": LONG, "recipients": ("@x",)}),
        ("generic", {"secret": LONG, "mapping": {"content": "$", "source": "meeting"}}),
        ("ses", {"topics": ("arn:aws-cn:sns:cn-north-1:123456789012:mail_1",)}),
    ],
)
def test_what_the_sender_s_own_page_shows_is_taken(name, said):
    assert [*faults(name, InboundTerms(**said))] == []


def test_an_order_holds_what_is_about_the_digest_alone():
    digest = {"type": "keywords", "priority": 1, "metadata": {"a": 1}}
    terms = InboundTerms(digest={**digest, "participants": ["Ben"]})

    order = order_of(terms, content=b"x")

    assert (order.type, order.participants, order.content) == (
        "keywords",
        ("Ben",),
        b"x",
    )
