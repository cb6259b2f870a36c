"""Random faults on two of three deployments, and every caller has an answer."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from random import Random

import pytest
import requests
from cut_answers import DONE, ERROR, FINISH, OPENAI
from fakes import Upstream
from hosts import Host
from processes import bearer, open_house
from random_faults import Moody, text_of
from rounds import IS_FULL, rounds

SECONDS = rounds(6, 600)
SPAN = (5.0, 15.0) if IS_FULL else (0.5, 2.0)  # how long one fault lasts
CALLERS = 8
PAUSE_SECONDS = 0.05
LEAST_ANSWERED = 0.999
# Impatient, so that more faults are met in the time there is.
SETTINGS = """
limits: {{unauthenticated_per_minute: 1000000}}
timeouts: {{first_token_seconds: 2, chunk_gap_seconds: 2, answer_seconds: 2}}
providers:
  a: {{kind: openai_compatible, base_url: {a}}}
  b: {{kind: openai_compatible, base_url: {b}}}
  c: {{kind: openai_compatible, base_url: {c}}}
deployments:
  a: {{provider: a, model: trees}}
  b: {{provider: b, model: trees}}
  c: {{provider: c, model: trees}}
routes:
  - {{alias: trees, deployments: {{a: 1, b: 1, c: 1}}}}
"""
ANSWERED, FAILED, WRONG = "answered", "failed", "wrong"


@dataclass(frozen=True)
class Told:
    """What became of one case."""

    number: int
    verdict: str
    said: str


def request_id_of(number):
    return f"case-{number:06}"


def story(host, told):
    """Return what a case's caller got, and what was logged about it."""
    events = host.started.events("attempt_ended")
    mine = [e for e in events if e.get("request_id") == request_id_of(told.number)]
    return told, mine


def judge_stream(number, body):
    """Tell whether a stream is whole, or broke off as it should."""
    heard = OPENAI.read(body)
    ends = (heard.count(FINISH), heard.count(DONE), heard.count(ERROR))
    expected = text_of(number)
    if ends == (1, 1, 0) and heard.last == DONE and heard.text == expected:
        return ANSWERED
    broke_off = ends == (0, 0, 1) and heard.last == ERROR
    return FAILED if broke_off and expected.startswith(heard.text) else WRONG


def judge(number, reply, is_stream):
    """Return what became of a case."""
    if reply.status_code != 200:
        verdict = FAILED if reply.json()["error"]["code"] else WRONG
    elif is_stream:
        verdict = judge_stream(number, reply.content)
    else:
        said = reply.json()["choices"][0]["message"]["content"]
        verdict = ANSWERED if said == text_of(number) else WRONG
    return Told(number, verdict, f"{reply.status_code} {reply.text}")


@dataclass
class Load:
    """Callers who ask one case after the other."""

    url: str
    token: str
    until: float

    def run(self, caller):
        """Ask until time is up; a case in four is not streamed."""
        told, pace, number = [], threading.Event(), caller
        with requests.Session() as session:
            session.headers.update(bearer(self.token))
            while time.monotonic() < self.until:
                is_stream = number // CALLERS % 4 != 0
                reply = session.post(
                    f"{self.url}/v1/chat/completions",
                    json=OPENAI.ask("trees", f"case {number}") | {"stream": is_stream},
                    headers={"X-Request-ID": request_id_of(number)},
                    timeout=60,
                )
                told.append(judge(number, reply, is_stream))
                number += CALLERS
                pace.wait(PAUSE_SECONDS)
        return told


@pytest.mark.timeout(900)
def test_callers_have_their_answers_while_two_of_three_fail(tmp_path, record_property):
    moods = {
        "a": Moody(Random(4), SPAN),
        "b": Moody(Random(5), SPAN),
        "c": Moody(Random(6), None),
    }
    with ExitStack() as everything:
        places = {name: everything.enter_context(Upstream()) for name in moods}
        for name, place in places.items():
            place.always(moods[name])
        house = everything.enter_context(open_house(tmp_path))
        urls = {name: place.url for name, place in places.items()}
        house.write_settings(SETTINGS.format(**urls))
        token = house.make_token("--scope=chat")
        host = Host(*house.serve())
        load = Load(host.url, token, time.monotonic() + SECONDS)
        with ThreadPoolExecutor(CALLERS) as pool:
            told = list(chain.from_iterable(pool.map(load.run, range(CALLERS))))
        host.wait_for_gauge(0.0)
        log = host.started.stderr
        unanswered = [story(host, each) for each in told if each.verdict == FAILED]

    verdicts = Counter(each.verdict for each in told)
    faults = moods["a"].played + moods["b"].played
    record_property(
        "figure",
        f"{len(told)} requests, {sum(faults.values())} faults of {len(faults)} kinds: "
        f"{verdicts[ANSWERED] / len(told):.4%} answered",
    )
    assert [each for each in told if each.verdict == WRONG] == []
    assert "Traceback" not in log
    assert verdicts[ANSWERED] / len(told) >= LEAST_ANSWERED, unanswered
