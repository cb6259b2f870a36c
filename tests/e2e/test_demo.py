"""`flaskllm demo`: a first look that needs nothing and leaves nothing."""

import json
import time
from pathlib import Path

import pytest
from fakes import answer_with, chat
from processes import CHECKOUT, SCRIPTED, open_house

SAMPLES = CHECKOUT / "flaskllm" / "cli" / "samples"
LONGEST_SECONDS = 15.0


@pytest.fixture
def temporary(house):
    """The folder in which the demo makes its own."""
    return use_temporary(house)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """One run without a model, the seconds it took, and the house it ran in."""
    with open_house(tmp_path_factory.mktemp("demo")) as house:
        use_temporary(house)
        began = time.monotonic()
        demo = house.run("demo")
        yield demo, time.monotonic() - began, house


def use_temporary(house):
    folder = house.folder / "temporary"
    folder.mkdir()
    house.environ["TMPDIR"] = str(folder)
    return folder


def processes_below(folder):
    """Return the command lines of live processes that know this folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environ = (entry / "environ").read_bytes()
            command = (entry / "cmdline").read_bytes()
        except OSError:  # it ended meanwhile
            continue
        if str(folder).encode() in environ:
            found.append(command)
    return found


def test_without_a_model_it_prints_both_digests_with_their_proof(shown):
    demo, seconds, _ = shown

    told = demo.stdout.decode()
    assert demo.returncode == 0, demo.stderr
    assert seconds < LONGEST_SECONDS
    assert "A mail, read by offline (extractive)" in told
    assert "`extractive` provider answers" in told
    mail, meeting = told.split("A meeting, read by offline (extractive)")
    assert "I will send you the signed offer by Wednesday" in mail
    assert "proven: “Could you please confirm the access road" in mail
    assert "due: 2026-10-09]" in mail
    assert "(p1, at " in mail
    assert "[Iris Novak, due: " in meeting
    assert "Decisions\n  - We decided to go live on the second of November" in meeting
    assert "(t4 00:19, Nadia Rahman, at 0)" in meeting
    assert "NOT proven" not in told


def test_it_leaves_no_process_and_no_file(shown):
    *_, house = shown

    assert [path.name for path in house.folder.iterdir()] == ["temporary"]
    assert list((house.folder / "temporary").iterdir()) == []
    assert processes_below(house.folder) == []


def test_the_curl_line_names_a_file_that_exists(shown):
    demo, *_ = shown
    told = demo.stdout.decode()

    assert "curl -H 'Authorization: Bearer YOUR_API_TOKEN'" in told
    (line,) = (line for line in told.splitlines() if "--data-binary" in line)
    named = Path(line.split("@")[1].removesuffix(" \\"))
    assert named.read_bytes() == (SAMPLES / "mail.eml").read_bytes()


def test_a_configured_model_is_asked_instead(house, temporary, upstream):
    """The mail and the meeting each cost two answers: the facts, then the prose."""
    quote = "The beams are sound"
    facts = {"points": [{"text": "The beams hold.", "evidence": {"quote": quote}}]}
    prose = {"summary": {"short": "Nothing but tiles.", "bullets": []}}

    def say(request):
        asks_for_prose = "Write the summary" in request.body.decode()
        return chat(json.dumps(prose if asks_for_prose else facts))

    upstream.always(answer_with(say))
    house.write_settings(SCRIPTED.format(url=upstream.url))

    demo = house.run("demo")

    told = demo.stdout.decode()
    assert demo.returncode == 0, demo.stderr
    assert "Asking your model (box)." in told
    assert "A mail, read by box" in told
    assert "Nothing but tiles." in told
    assert "`extractive`" not in told
    assert list(temporary.iterdir()) == []
    assert "18,450 EUR" in upstream.requests[0].body.decode()


def test_a_model_that_fails_ends_the_demo_with_the_reason(house, temporary, upstream):
    house.write_settings(SCRIPTED.format(url="http://127.0.0.1:9"))

    demo = house.run("demo")

    assert demo.returncode == 1
    assert b"LLM_UNAVAILABLE" in demo.stderr
    assert list(temporary.iterdir()) == []
    assert processes_below(temporary) == []


def test_wrong_settings_end_the_demo_with_status_2_and_their_name(house, temporary):
    house.write_settings("servr: {}\n")

    demo = house.run("demo")

    assert demo.returncode == 2
    assert b"servr" in demo.stderr
    assert list(temporary.iterdir()) == []
