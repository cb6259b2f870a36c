"""Plain gunicorn with more workers than the settings say: limits are shared."""

import sqlite3

import requests
from processes import CHECKOUT, GUNICORN, bearer, free_port


def test_workers_of_the_command_line_count_limits_together(house):
    token = house.make_token("--scope=chat", "--requests-per-minute=50")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    server = house.start(
        [*GUNICORN, "--workers=2", "wsgi:application"],
        cwd=CHECKOUT,
        FLASKLLM_SERVER__PORT=str(port),
    )
    server.wait_until_ready(url)
    server.wait_for(lambda: len(server.workers()) == 2)

    replies = [
        requests.get(f"{url}/v1/models", headers=bearer(token), timeout=10)
        for _ in range(3)
    ]

    assert [each.status_code for each in replies] == [200, 200, 200]
    assert replies[0].headers["x-ratelimit-limit-requests"] == "50"
    with sqlite3.connect(house.data / "flaskllm.db") as database:
        rows = database.execute("SELECT key, present + previous FROM counters")
        assert {key.partition("/")[0]: count for key, count in rows} == {"requests": 3}
    database.close()
    assert server.stop() == 0
