"""Streams that their upstream cuts anywhere: never a clean end that was not said."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random

import cut_scripts
import pytest
import requests
from cut_answers import ANTHROPIC, DONE, ERROR, FINISH, NATIVE, OPENAI
from cut_scripts import Cut
from fakes import Upstream, answer_with
from processes import bearer, open_house
from rounds import rounds

pytestmark = pytest.mark.timeout(900)

SETTINGS = """
providers:
  openai: {{kind: openai_compatible, base_url: {url}}}
  claude: {{kind: anthropic, base_url: {url}, api_key: sk-ant-cut}}
deployments:
  from-openai: {{provider: openai, model: cut}}
  from-anthropic: {{provider: claude, model: cut}}
  spare: {{provider: openai, model: spare}}
routes:
  - {{alias: openai, deployments: {{from-openai: 1}}, fallbacks: [spare], rescue: off}}
  - alias: anthropic
    deployments: {{from-anthropic: 1}}
    fallbacks: [spare]
    rescue: off
  - {{alias: spare, deployments: {{spare: 1}}}}
"""
# Who plays the upstream, and who asks: what is alike passes through untouched.
MAKERS = {"openai": cut_scripts.make_openai, "anthropic": cut_scripts.make_anthropic}
FACES = {"openai": OPENAI, "anthropic": ANTHROPIC, "native": NATIVE}
COUNT = rounds(small=17, full=1000)
AT_ONCE = 6
SPARE = cut_scripts.make_openai(Random(0))
CASE = re.compile(rb"case (\d+)\b")


@dataclass
class Place:
    """A gateway whose upstream cuts its streams; the prompt says which it plays."""

    url: str
    token: str
    cuts: list[Cut]

    def play(self, received):
        if received.json["model"] == "spare":
            return cut_scripts.whole(SPARE)
        return self.cuts[int(CASE.search(received.body)[1])]

    def hear(self, face, model, number):
        """Return what the caller heard, after an HTTP body with a proper end."""
        reply = requests.post(
            f"{self.url}{face.path}",
            json=face.ask(model, f"case {number}"),
            headers=bearer(self.token),
            timeout=30,
        )
        assert reply.status_code == 200, reply.text
        return face.read(reply.content)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with Upstream() as upstream, open_house(tmp_path_factory.mktemp("house")) as house:
        house.write_settings(SETTINGS.format(url=upstream.url))
        token = house.make_token("--scope=admin")
        _, url = house.serve()
        _keep_asking(url, token)
        made = Place(url, token, [])
        upstream.always(answer_with(made.play))
        yield made


def _keep_asking(url, token):
    """Let no breaker open: the streams of these deployments are meant to fail."""
    for name in ("from-openai", "from-anthropic"):
        address = f"{url}/api/v1/health/providers/{name}"
        body = {"state": "closed"}
        assert requests.put(address, json=body, headers=bearer(token), timeout=30).ok


def kind_of(cut):
    if cut.is_finished:
        return "complete"
    return "cut" if cut.text else "cut before the first token"


def check(cut, heard):
    """Raise unless the caller heard what came of this cut, and no more than that."""
    kind = kind_of(cut)
    expected = (
        "".join(SPARE.texts) if kind == "cut before the first token" else cut.text
    )
    ends = (heard.count(FINISH), heard.count(DONE), heard.count(ERROR))

    assert heard.text == expected
    assert ends == ((0, 0, 1) if kind == "cut" else (1, 1, 0))
    assert heard.last == (ERROR if kind == "cut" else DONE)


@pytest.mark.parametrize("upstream", MAKERS)
@pytest.mark.parametrize("caller", FACES)
def test_a_stream_ends_well_only_when_its_upstream_said_so(
    place, upstream, caller, record_property
):
    random = Random(f"{upstream} {caller}")
    scripts = [MAKERS[upstream](random) for _ in range(rounds(small=2, full=10))]
    place.cuts[:] = cut_scripts.draw_cuts(scripts, COUNT, random)

    def hear(number):
        return place.hear(FACES[caller], upstream, number)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        heard = list(pool.map(hear, range(COUNT)))

    for cut, each in zip(place.cuts, heard, strict=True):
        check(cut, each)
    kinds = Counter(map(kind_of, place.cuts))
    assert set(kinds) == {"complete", "cut", "cut before the first token"}
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    record_property("figure", f"{COUNT} streams: {counts}")
