"""What is refused before anything is opened."""

import pytest
from egress_ways import Recorder, Told, make_egress
from hostile_urls import HOSTILE, NAMES

from flaskllm.core.errors import InternalError
from flaskllm.net.egress import EgressFailed, EgressRefused, Failure, Refusal

PUBLIC = "93.184.215.14"


def test_no_hostile_url_leads_to_a_connection():
    connect, told = Recorder(), Told(NAMES)
    egress = make_egress(names=told.names, connect=connect)

    for url in HOSTILE:
        with pytest.raises(EgressRefused):
            egress.post(url, {}, b"{}")

    assert len(HOSTILE) >= 120
    assert connect.places == []
    # The rest was refused by its text alone, before any look-up.
    assert told.asked == list(NAMES)


def test_what_is_refused_by_its_text_is_refused_where_it_is_registered():
    told = Told(NAMES)
    egress = make_egress(names=told.names)
    let_through = []
    for url in HOSTILE:
        try:
            egress.check(url)
        except EgressRefused:
            continue
        let_through.append(url)

    assert let_through == [f"http://{name}/" for name in NAMES]
    assert told.asked == []


def test_a_good_name_is_looked_up_once_and_its_addresses_are_called():
    connect = Recorder()
    told = Told({"hooks.example": [PUBLIC, "2606:2800::1"]})
    egress = make_egress(names=told.names, connect=connect)

    with pytest.raises(EgressFailed) as caught:
        egress.post("https://hooks.example/x", {}, b"{}")

    assert caught.value.reason is Failure.CONNECTION
    assert connect.places == [[(PUBLIC, 443), ("2606:2800::1", 443)]]
    assert told.asked == ["hooks.example"]


def test_of_many_addresses_every_one_is_checked_and_a_few_are_tried():
    connect = Recorder()
    many = [f"93.184.215.{number}" for number in range(100)]
    told = Told({"many.example": many, "bad.example": [*many, "10.0.0.1"]})
    egress = make_egress(names=told.names, connect=connect)

    with pytest.raises(EgressFailed):
        egress.post("https://many.example/", {}, b"{}")
    with pytest.raises(EgressRefused):
        egress.post("https://bad.example/", {}, b"{}")

    assert [len(each) for each in connect.places] == [4]


@pytest.mark.parametrize(
    ("url", "place"),
    [
        (f"https://{PUBLIC}/", (PUBLIC, 443)),
        ("http://[2606:2800::1]/", ("2606:2800::1", 80)),
    ],
)
def test_a_literal_address_is_called_without_a_look_up(url, place):
    connect, told = Recorder(), Told({})

    with pytest.raises(EgressFailed):
        make_egress(names=told.names, connect=connect).post(url, {}, b"{}")

    assert connect.places == [[place]]
    assert told.asked == []


def test_a_name_that_is_not_known_is_told():
    with pytest.raises(EgressFailed) as caught:
        make_egress(names=Told({}).names).post("https://hooks.example/", {}, b"{}")

    assert caught.value.reason is Failure.NAME_NOT_FOUND


def test_a_header_that_would_make_another_is_not_sent():
    connect = Recorder()

    with pytest.raises(InternalError):
        make_egress(connect=connect).post(
            f"https://{PUBLIC}/", {"webhook-id": "a\r\nHost: b"}, b"{}"
        )

    assert connect.places == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (f"http://{PUBLIC}/", Refusal.SCHEME),
        (f"http://{PUBLIC}:0/", Refusal.SCHEME),
        (f"http://anna@{PUBLIC}:22/#x", Refusal.SCHEME),
        ("http://localhost/", Refusal.SCHEME),
        (f"https://{PUBLIC}:22/", Refusal.PORT),
    ],
)
def test_usually_only_https_and_its_ports_are_called(url, reason):
    """The scheme is told first: whoever mends it may have to mend nothing else."""
    with pytest.raises(EgressRefused) as caught:
        make_egress(ports=(443, 8443), allow_http=False).check(url)

    assert caught.value.reason is reason
