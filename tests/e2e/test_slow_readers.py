"""Callers who stop reading: they cost little memory, and not for ever."""

import time

import pytest
from fakes import Upstream
from hosts import SETTINGS, Host, usage_rows
from leaving import EVENTS, ask, read_until
from processes import open_house
from rounds import soak_only
from stream_steps import endless
from uwsgi_host import serve_uwsgi

MEBIBYTE = 1024 * 1024


@pytest.fixture(params=["gunicorn", "uwsgi"])
def serve(request):
    if request.param == "gunicorn":
        return lambda house: house.serve()
    request.getfixturevalue("uwsgi_venv")
    return serve_uwsgi


@soak_only
@pytest.mark.timeout(300)
def test_a_caller_who_stops_reading_is_left_within_a_minute_and_some_memory(
    serve, tmp_path, record_property
):
    with Upstream() as upstream, open_house(tmp_path) as house:
        house.write_settings(SETTINGS.format(url=upstream.url))
        token = house.make_token("--scope=chat")
        host = Host(*serve(house))
        upstream.always(endless(EVENTS[1]))

        with ask(host, token, "slow-reader", is_stream=True) as connection:
            read_until(connection, b"Hel")
            stopped_at, before = time.monotonic(), host.resident_bytes()
            assert upstream.wait_for_hang_up(seconds=120)
            seconds = upstream.closed_by_peer[0] - stopped_at
            grown = host.resident_bytes() - before

        host.started.wait_for(lambda: usage_rows(house))
        (row,) = usage_rows(house)
        assert row["outcome"] == "CALLER_GONE"
        assert row["output_text"] > 0
        assert seconds < 60.0
        assert grown < 16 * MEBIBYTE
        host.wait_for_gauge(0.0)
        record_property(
            "figure", f"left after {seconds:.1f} s, {grown / MEBIBYTE:.1f} MiB more"
        )
