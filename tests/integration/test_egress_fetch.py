"""What a job fetches, on real sockets under TLS: the body, and the way to it."""

import pytest
from certificates import Certificate
from egress_ways import Told, make_egress
from fakes import Reply, Upstream

from flaskllm.core.clock import SystemClock
from flaskllm.net.egress import EgressFailed, EgressRefused, Failure, Refusal
from flaskllm.net.egress_fetch import Fetcher, Wanted

SECRET = {"Authorization": "Bearer token-of-zoom", "Accept": "text/vtt"}
NAMES = {"zoom.example": ["127.0.0.1"], "inside.example": ["10.0.0.1"]}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return Certificate(tmp_path_factory.mktemp("places"), dns_name="zoom.example")


@pytest.fixture
def place(certificate):
    with Upstream(tls=certificate.server) as server:
        server.home = f"https://zoom.example:{server.port}"
        yield server


@pytest.fixture
def fetcher(place, certificate):
    egress = make_egress(
        networks=["127.0.0.0/8"],
        ports=[place.port, 443],
        names=Told(NAMES).names,
        ca_bundle=str(certificate.path),
    )
    return Fetcher(egress, SystemClock())


def to(location, status=302):
    return Reply(status, {"Location": location})


def test_the_body_comes_whole_and_the_headers_go_along(place, fetcher):
    body = b"WEBVTT\n" * 100_000
    place.always(Reply(200, {}, body))

    reply = fetcher.fetch(Wanted(f"{place.home}/rec?a=%20b", SECRET))

    assert (reply.status, reply.body) == (200, body)
    (seen,) = place.requests
    assert (seen.method, seen.path, seen.body) == ("GET", "/rec?a=%20b", b"")
    assert seen.headers["authorization"] == SECRET["Authorization"]
    assert "content-length" not in {name.lower() for name in seen.headers}


def test_what_has_a_body_is_posted(place, fetcher):
    place.always(Reply(200, {}, b"{}"))

    fetcher.fetch(Wanted(place.home, {}, b"query"))

    (seen,) = place.requests
    assert (seen.method, seen.body) == ("POST", b"query")


def test_three_redirects_are_followed_and_no_fourth(place, fetcher):
    place.script(*(to(f"/{n}") for n in range(4)))

    reply = fetcher.fetch(Wanted(f"{place.home}/a", SECRET))

    assert (reply.status, len(place.requests)) == (302, 4)
    assert [each.path for each in place.requests] == ["/a", "/0", "/1", "/2"]
    assert all("authorization" in each.headers for each in place.requests)


def test_another_host_gets_no_credential(place, fetcher):
    place.script(to(f"https://ZOOM.example:{place.port}/b"), Reply(200, {}, b"x"))

    reply = fetcher.fetch(Wanted(f"{place.home}/a", SECRET))

    assert reply.body == b"x"
    assert [("authorization" in e.headers) for e in place.requests] == [True, False]


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("https://10.0.0.1/x", Refusal.BLOCKED),
        ("https://inside.example/x", Refusal.BLOCKED),
        ("http://zoom.example/x", Refusal.PORT),
        ("https://zoom.example:22/x", Refusal.PORT),
        ("https://[/x", Refusal.MALFORMED),
    ],
)
def test_each_address_on_the_way_is_checked(place, fetcher, location, reason):
    place.always(to(location))

    with pytest.raises(EgressRefused) as refused:
        fetcher.fetch(Wanted(place.home, SECRET))

    assert refused.value.reason == reason


def test_nothing_is_fetched_without_tls_though_callbacks_may_go_so(place, fetcher):
    with pytest.raises(EgressRefused) as refused:
        fetcher.fetch(Wanted(f"http://zoom.example:{place.port}/", SECRET))

    assert (refused.value.reason, place.requests) == (Refusal.SCHEME, [])


@pytest.mark.parametrize("status", [307, 308])
def test_what_was_posted_goes_nowhere_else(place, fetcher, status):
    place.always(to("/elsewhere", status))

    reply = fetcher.fetch(Wanted(place.home, SECRET, b"query"))

    assert (reply.status, len(place.requests)) == (status, 1)


def test_a_redirect_to_nowhere_is_the_answer(place, fetcher):
    place.always(Reply(302))

    assert fetcher.fetch(Wanted(place.home)).status == 302


def test_too_much_is_not_kept(place, fetcher):
    place.always(Reply(200, {}, b"x" * 70_000))

    with pytest.raises(EgressFailed) as failed:
        fetcher.fetch(Wanted(place.home), most_bytes=64 * 1024)

    assert failed.value.reason == Failure.TOO_LARGE


def test_a_body_that_breaks_off_is_no_document(place, fetcher):
    place.always(Reply(200, {"Content-Length": "100"}, b"half"))

    with pytest.raises(EgressFailed):
        fetcher.fetch(Wanted(place.home), total_seconds=0.5)
