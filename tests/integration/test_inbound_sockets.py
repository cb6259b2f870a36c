"""A sender hears over its socket while those whom the job needs are silent."""

import threading
from contextlib import contextmanager

import pytest
import requests
from fakes import hang
from inbound_deliveries import from_postmark, transcript
from inbound_scene import InboundCalls
from sender_scene import from_zoom
from werkzeug.serving import WSGIRequestHandler, make_server

from flaskllm.net.egress import EgressFailed, Failure

ZOOM_WAITS_SECONDS = 3
DELIVERIES = {
    "zoom": [from_zoom(transcript(event_ts=number)) for number in (1, 2)],
    "postmark": [from_postmark(MessageID=f"m-{number}") for number in (1, 2)],
}
"""The document of the first lies elsewhere, that of the other is there."""


class Quiet(WSGIRequestHandler):
    """Logs nothing."""

    def log(self, *_):
        """Say nothing."""


class FromUpstream:
    """Fetches everything from one address, over a socket."""

    def __init__(self, url):
        self._url = url

    def fetch(self, _wanted, **_limits):
        try:
            requests.get(self._url, timeout=30)
        except requests.RequestException:
            raise EgressFailed(Failure.TIMEOUT) from None
        raise AssertionError("it answered")


@contextmanager
def served(app):
    """Give the address of a server."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("sender", DELIVERIES)
def test_the_accept_waits_for_no_fetch_and_no_model(gateway, upstream, sender):
    upstream.always(hang())
    desk = InboundCalls(gateway)
    desk.fetcher = FromUpstream(upstream.url)
    desk.use()
    inbound = desk.open(sender, digest={"model": "scripted", "type": "keywords"})
    worker = threading.Thread(target=desk.worker.work)

    with served(gateway.app) as url:

        def post(delivery):
            return requests.post(
                f"{url}{inbound.address}",
                data=delivery.body,
                headers=dict(delivery.headers),
                timeout=ZOOM_WAITS_SECONDS,
            )

        one, other = DELIVERIES[sender]
        before = post(one)
        asked_before = len(upstream.requests)
        worker.start()
        is_silent = upstream.wait_for_requests(1)
        while_it_hangs = post(other)

        upstream.stop()
        worker.join(30)

    assert (before.status_code, asked_before, is_silent) == (200, 0, True)
    assert while_it_hangs.status_code == 200
    assert while_it_hangs.json()["data"]["job"] != before.json()["data"]["job"]
    assert not worker.is_alive()
