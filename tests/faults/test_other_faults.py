"""What else an upstream can do wrong at once, each through a real gateway.

With a fallback no caller notices. Alone, the error is typed, says whether to come
back, and the upstream is asked no more often than it may be. All rows are played
together; docs/reliability.md lists them beside those of the tests of the parts.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from certificates import Certificate
from fakes import (
    Step,
    big,
    chat,
    chunked_garbage,
    cut,
    gzip_bomb,
    html,
    json_reply,
    raw,
    redirect,
    reset,
    status,
)
from fault_gateway import serving, settings_of
from fault_places import Place
from fault_records import Called
from processes import open_house
from stream_steps import DONE, big_line, bomb, error_at, event, sse, tokens

pytestmark = pytest.mark.timeout(120)

AT_ONCE = 24
EVENTS = tokens("From ", "the spare.")
OVERLOADED = {"type": "overloaded_error", "message": "Overloaded"}


def limited(**headers: str) -> Step:
    """Answer 429 with these headers; underscores stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status(429, named)


@dataclass(frozen=True)
class Row:
    """One fault.

    Attributes:
        step: What the upstream does every time.
        code: How our attempt ends.
        alone: The status that the caller of it alone gets.
        most_alone: How often the upstream is asked for that at most.
        most_beside: The same where there is a fallback.
    """

    step: Step
    code: str
    alone: int
    most_alone: int = 3
    most_beside: int = 1


RATE, UNAVAILABLE, BROKEN = "LLM_RATE_LIMITED", "LLM_UNAVAILABLE", "LLM_PROTOCOL_ERROR"
ONCE: dict[str, Any] = {"most_alone": 1}
SAME_AGAIN: dict[str, Any] = {"most_beside": 2}
IN_2065 = "Wed, 21 Oct 2065 07:28:00 GMT"
IN_2015 = "Wed, 21 Oct 2015 07:28:00 GMT"
REFUSED = Row(raw(b""), UNAVAILABLE, 503)  # its place never opens
# Its certificate is its own.
UNTRUSTED = Row(chat("never seen"), "LLM_API_ERROR", 502, **ONCE)
ROWS = {
    "refused": REFUSED,
    "a certificate of its own": UNTRUSTED,
    "429": Row(status(429), RATE, 429),
    "429 for a second": Row(limited(Retry_After="1"), RATE, 429, **SAME_AGAIN),
    "429 in milliseconds": Row(limited(retry_after_ms="40000"), RATE, 429, **ONCE),
    "429 until a date": Row(limited(Retry_After=IN_2065), RATE, 429, **ONCE),
    "429 until a past date": Row(limited(Retry_After=IN_2015), RATE, 429, **SAME_AGAIN),
    "429 for garbage": Row(limited(Retry_After="soon"), RATE, 429),
    "429 for less than nothing": Row(
        limited(Retry_After="-9"), RATE, 429, **SAME_AGAIN
    ),
    "429 for 10^9 seconds": Row(limited(Retry_After="1000000000"), RATE, 429, **ONCE),
    "500": Row(status(500), "LLM_SERVER_ERROR", 502, **SAME_AGAIN),
    "501": Row(status(501), "LLM_REQUEST_REJECTED", 502, **ONCE),
    "502": Row(status(502), "LLM_SERVER_ERROR", 502, **SAME_AGAIN),
    "503": Row(status(503), UNAVAILABLE, 503),
    "504": Row(status(504), "LLM_TIMEOUT", 504),
    "505": Row(status(505), "LLM_REQUEST_REJECTED", 502, **ONCE),
    "529": Row(status(529), UNAVAILABLE, 503),
    "401": Row(status(401), "LLM_CREDENTIAL_REJECTED", 502, **ONCE),
    "403": Row(status(403), "LLM_CREDENTIAL_REJECTED", 502, **ONCE),
    "404": Row(status(404), "LLM_REQUEST_REJECTED", 502, **ONCE),
    "reset": Row(reset(), "LLM_SERVER_ERROR", 502, **SAME_AGAIN),
    "reset in the head": Row(reset(20), BROKEN, 502),
    "cut in the head": Row(cut(chat("never seen"), 20), BROKEN, 502),
    "HTML": Row(html(), BROKEN, 502),
    "no JSON": Row(sse([event(b"{")]), BROKEN, 502),
    "an empty body": Row(status(200, body=b""), BROKEN, 502),
    "an empty stream": Row(sse([]), BROKEN, 502),
    "empty choices": Row(sse([event({"choices": []}), DONE]), BROKEN, 502),
    "an error event": Row(error_at(EVENTS, 1, OVERLOADED), UNAVAILABLE, 503),
    "an error object": Row(json_reply({"error": OVERLOADED}), BROKEN, 502),
    "a large body": Row(big(4_000_000), BROKEN, 502),
    "a line without end": Row(big_line(2_000_000), BROKEN, 502),
    "a bomb": Row(bomb(40_000_000), BROKEN, 502),
    "a whole bomb": Row(gzip_bomb(40_000_000), BROKEN, 502),
    "broken chunks": Row(chunked_garbage(), BROKEN, 502),
    "no HTTP": Row(raw(b"SSH-2.0-OpenSSH\r\n\r\n"), BROKEN, 502),
    "elsewhere": Row(redirect("http://127.0.0.1:1/"), BROKEN, 502),
}
# What comes again may succeed; what an operator has to mend says no when.
NO_HINT = {"501", "505", "401", "403", "404"}


@dataclass(frozen=True)
class Seen:
    """How one row went for one caller.

    Attributes:
        called: What the caller got.
        asked: How often the upstream was asked for it.
        codes: How the attempts ended, in order.
    """

    called: Called
    asked: int
    codes: list[str]


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> Iterator[dict[str, Seen]]:
    """Every row alone (`0 alone`) and beside a fallback (`0 beside`), all at once."""
    names = {
        f"{number}-{how}": row
        for number, row in enumerate(ROWS.values())
        for how in ("alone", "beside")
    }
    with ExitStack() as everything:
        tls = Certificate(tmp_path_factory.mktemp("tls")).server
        places = {
            name: Place([row.step], tls if row is UNTRUSTED else None)
            for name, row in names.items()
        }
        spare = everything.enter_context(Place([sse(EVENTS)]).opened())
        for name, place in places.items():
            everything.callback(place.close)
            if names[name] is not REFUSED:
                everything.enter_context(place.opened())
        house = everything.enter_context(open_house(tmp_path_factory.mktemp("house")))
        urls = {name: place.url for name, place in places.items()}
        fallbacks = {name: ["spare"] for name in names if name.endswith("beside")}
        settings = settings_of({**urls, "spare": spare.url}, fallbacks)
        gateway = everything.enter_context(serving(house, settings))

        def ask(name: str) -> Called:
            return gateway.call(name, f"row-{name}", stream=True)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            called = dict(zip(names, pool.map(ask, names), strict=True))
        asked = {name: len(place.visits) for name, place in places.items()}
        # Who was never reached was tried once at least; so was the spare.
        least = sum(max(1, count) for count in asked.values()) + len(fallbacks)
        codes: dict[str, list[str]] = {name: [] for name in names}
        for row in gateway.rows("row-", least):
            name = str(row["request_id"]).removeprefix("row-")
            codes[name].append(str(row["outcome"]))
        yield {name: Seen(called[name], asked[name], codes[name]) for name in names}


NUMBERED = [(number, name) for number, name in enumerate(ROWS)]
EACH = pytest.mark.parametrize(("number", "name"), NUMBERED, ids=ROWS)


@EACH
def test_beside_a_fallback_no_caller_notices(seen, number, name):
    row, shown = ROWS[name], seen[f"{number}-beside"]

    assert (shown.called.status, shown.called.is_whole) == (200, True), shown
    assert shown.called.heard.text == "From the spare."
    assert shown.codes == [row.code] * len(shown.codes[:-1]) + ["OK"]
    assert shown.asked <= row.most_beside


@EACH
def test_alone_the_error_is_typed_and_says_whether_to_come_back(seen, number, name):
    row, shown = ROWS[name], seen[f"{number}-alone"]

    assert shown.called.status == row.alone, shown
    assert shown.asked <= row.most_alone
    assert set(shown.codes) == {row.code}
    hint = shown.called.headers.get("retry-after")
    assert hint is None if name in NO_HINT else 1 <= int(hint) <= 3600
    assert "SSH" not in shown.called.body
    assert "Overloaded" not in shown.called.body
