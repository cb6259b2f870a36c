"""Nothing of the content becomes a link or a mention, wherever it is read."""

import json
import re

import pytest
from callback_scene import digest_event, texts_of

from flaskllm.services.callbacks.renderings import mail, slack, teams
from flaskllm.services.digests.types import ActionItem, Digest, Evidence, Summary

# What some reader of messages would turn into a link or a mention.
LIVE = [
    "<!channel>",
    "<!here|here>",
    "<@U024BE7LH>",
    "<https://evil.example|Sign in>",
    "@here",
    "@channel",
    "@anna.schmidt",
    "#general",
    "[Sign in](https://evil.example)",
    "[Sign in][1]",
    "![x](https://evil.example/p.png)",
    "https://evil.example/x?y=1",
    "mailto:anna@evil.example",
    "anna@evil.example",
    "www.1evil.example",
    "evil.example",
    "<at>Anna</at>",
]
# On purpose no copy of what defangs. A zero-width space is a letter to nobody.
_LINK = re.compile(
    r"<[^\s\u200b]|[@#~]\w|\w:[^\s\u200b]|\w\.[a-z]|\]\(|\]\[", re.IGNORECASE
)


def hostile(text):
    proof = Evidence(text, verified=True)
    task = ActionItem(text, text, None, text, "open", proof)
    return Digest(
        language="en",
        kind="email",
        summary=Summary(text, (text,)),
        action_items=(task,),
    )


@pytest.mark.parametrize("text", LIVE)
def test_nothing_of_the_content_becomes_a_link_or_a_mention(text):
    event = digest_event(hostile(f"Read {text} now"))

    slack_texts = list(texts_of(json.loads(slack.render(event))))
    teams_texts = list(texts_of(json.loads(teams.render(event))))
    told = json.loads(mail.render(event))
    for each in [*slack_texts, *teams_texts, told["subject"], told["text"]]:
        unescaped = each.replace("&lt;", "<").replace("&gt;", ">")
        for line in unescaped.splitlines():
            if line.startswith(("Read", "• Read", "- Read")):
                assert _LINK.search(line) is None, line


def test_marks_that_hide_or_turn_text_are_taken_out():
    event = digest_event(hostile("safe\u202egnp.exe\x1b[31m\x00\u200b end"))

    text = json.loads(mail.render(event))["text"]

    assert not re.search("[\u202e\x1b\x00]", text)
    assert "safe gnp" in text
