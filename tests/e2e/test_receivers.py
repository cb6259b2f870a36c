"""The receivers of docs/jobs-and-callbacks.md verify what is really sent to them.

They run as the page has them, and get a delivery of a real worker; then what was
tampered with, what is old and what somebody else signed.
"""

import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from client_venv import NODE, client_python
from doc_blocks import find_blocks, read_doc
from processes import FLASKLLM, House, Started, bearer, free_port, open_house

from flaskllm.services.callbacks.signing import headers_of, make_secret

PAGE = "docs/jobs-and-callbacks.md"
SETTINGS = """
jobs: {{poll_seconds: 0.1}}
callbacks: {{allowed_networks: [127.0.0.0/8], allowed_ports: {ports}, allow_http: true}}
"""
MESSAGE = "msg_0VbdbPpKK3ljsbDzq4V3"
BODY = b'{"type":"job.done","data":{"id":"job_1"}}'


@dataclass(frozen=True)
class Kind:
    """A language of the page: its block, the file to save it as, and who runs it."""

    info: str
    file: str
    runner: Path


KINDS = (
    Kind("python", "receiver.py", Path(sys.executable)),
    Kind("javascript", "receiver.mjs", NODE),
)


@dataclass(frozen=True)
class Scene:
    """A receiver that runs, its secret, and the job whose end it is told."""

    url: str
    secret: str
    started: Started
    job_url: str
    token: str

    @property
    def job_id(self) -> str:
        return self.job_url.rpartition("/")[2]

    def ask(self, path: str = "") -> Any:
        """Return `data` of the job, or of what is below it."""
        reply = requests.get(
            f"{self.job_url}{path}", headers=bearer(self.token), timeout=30
        )
        return reply.json()["data"]

    def send(self, headers: Mapping[str, str], body: bytes = BODY) -> int:
        """Return the status that the receiver answers with."""
        return requests.post(self.url, body, headers=headers, timeout=30).status_code

    def handled(self) -> list[str]:
        """Return what it did something for, in order."""
        lines = self.started.stdout.splitlines()
        return [line for line in lines if not line.startswith("refused")]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Scene]]:
    """A receiver of each kind whose interpreter is there, and a worker that calls."""
    kinds = [kind for kind in KINDS if kind.runner.exists()]
    ports = [free_port() for _ in kinds]
    with open_house(tmp_path_factory.mktemp("receivers")) as house:
        house.write_settings(SETTINGS.format(ports=ports))
        house.accept_jobs()
        _, url = house.serve()
        opened = {
            kind.info: open_scene(house, url, kind, port)
            for kind, port in zip(kinds, ports, strict=True)
        }
        # Only now: nobody is called before he listens.
        house.start([*FLASKLLM, "worker"])
        yield opened


def open_scene(house: House, url: str, kind: Kind, port: int) -> Scene:
    """Accept a job, then start the receiver of its end with the secret of its end."""
    token, receiver_url = house.make_token(), f"http://127.0.0.1:{port}/hook"
    job_url = f"{url}{accept(url, token, receiver_url)}"
    secret = secret_of_callback_urls(url, token)
    (house.folder / kind.file).write_text(block_of(kind.info), "utf-8")
    command = [str(kind.runner), kind.file, str(port)]
    started = house.start(command, CALLBACK_SECRET=secret)
    started.wait_for(lambda: listens(port))
    return Scene(receiver_url, secret, started, job_url, token)


def accept(url: str, token: str, callback_url: str) -> str:
    """Return the path of a job that was accepted."""
    reply = requests.post(
        f"{url}/api/v1/webhook",
        json={"prompt": "Ben: The offer is out.", "callback_url": callback_url},
        headers=bearer(token),
        timeout=30,
    )
    assert reply.status_code == 202, reply.text
    return reply.headers["Location"]


def secret_of_callback_urls(url: str, token: str) -> str:
    """Return it as the page says how to find it."""
    endpoints = f"{url}/api/v1/endpoints"
    listed = requests.get(endpoints, headers=bearer(token), timeout=30).json()["data"]
    [found] = [each["id"] for each in listed if each["name"] == "callback_url"]
    told = requests.get(
        f"{endpoints}/{found}/secret", headers=bearer(token), timeout=30
    )
    return told.json()["data"]["secrets"][0]


def block_of(info: str) -> str:
    """Return the receiver of the page in this language."""
    blocks = find_blocks(PAGE, read_doc(PAGE))
    [text] = [block.text for block in blocks if block.info == info]
    return text


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(params=[kind.info for kind in KINDS])
def scene(request: pytest.FixtureRequest, scenes: dict[str, Scene]) -> Scene:
    """The scene of one language."""
    if request.param not in scenes:
        client_python()  # Node comes with the clients
    return scenes[request.param]


def signed(scene: Scene, late_seconds: int = 0, secret: str = "", **changed: str):
    """Return the headers of a message that was signed so long ago."""
    at = int(time.time()) - late_seconds
    signed_by = (secret or scene.secret,)
    return {**headers_of(MESSAGE, at, BODY, signed_by), **changed}


def test_a_real_delivery_is_verified_and_handled(scene):
    scene.started.wait_for(scene.handled, 30)

    assert scene.handled()[0] == f"job.done {scene.job_id}"
    scene.started.wait_for(lambda: scene.ask("/deliveries")[0]["state"] != "pending")
    [delivery] = scene.ask("/deliveries")
    assert delivery["state"] == "delivered"
    assert [each["status"] for each in delivery["attempts"]] == [204]


Wrong = Callable[[Scene], tuple[Mapping[str, str], bytes]]
WRONG: dict[str, Wrong] = {
    "a tampered body": lambda scene: (signed(scene), BODY.replace(b"_1", b"_2")),
    "another id": lambda scene: (signed(scene, **{"webhook-id": "msg_2"}), BODY),
    "an old timestamp": lambda scene: (signed(scene, 302), BODY),
    "a timestamp of the future": lambda scene: (signed(scene, -302), BODY),
    "a timestamp that is none": lambda scene: (
        signed(scene, **{"webhook-timestamp": "soon"}),
        BODY,
    ),
    "a wrong secret": lambda scene: (signed(scene, secret=make_secret()), BODY),
    "half a signature": lambda scene: (
        signed(scene, **{"webhook-signature": signed(scene)["webhook-signature"][:9]}),
        BODY,
    ),
    "no signature": lambda scene: ({}, BODY),
    "no body": lambda scene: (signed(scene), b""),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_not_ours_or_not_fresh_is_refused(scene, wrong):
    before = len(scene.started.stdout.splitlines())

    status = scene.send(*WRONG[wrong](scene))

    assert status == 401
    [line] = scene.started.stdout.splitlines()[before:]
    assert line.startswith("refused")


def test_a_repeat_is_taken_and_not_handled_again(scene):
    first = scene.send(signed(scene, 298))
    again = scene.send(signed(scene))

    assert (first, again) == (204, 204)
    assert scene.handled().count("job.done job_1") == 1


def test_one_good_signature_of_two_is_enough(scene):
    other = signed(scene, secret=make_secret())["webhook-signature"]
    own = signed(scene)["webhook-signature"]
    both = {"webhook-signature": f"{other} {own}"}

    assert scene.send(signed(scene, **both)) == 204
