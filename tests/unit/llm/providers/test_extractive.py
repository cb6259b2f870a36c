import json
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rounds import rounds

from flaskllm.core.errors import NoModelConfigured
from flaskllm.llm.parts import Message
from flaskllm.llm.providers.extractive import Extractive
from flaskllm.llm.types import (
    CompletionRequest,
    Extraction,
    Passage,
    Usage,
)

MEETING = (
    Passage(
        "t1", "Okay, let's start. The launch was planned for April.", "Maria Lopez"
    ),
    Passage("t2", "The payment provider certification takes four weeks.", "Dev Patel"),
    Passage("t3", "The certification lab is closed over Easter.", "Sam Oduya"),
    Passage("t4", "So let's move the launch to May fourth.", "Maria Lopez"),
    Passage("t5", "I'll send the revised forecast by Friday, 13 March.", "Dev Patel"),
    Passage("t6", "Dev, could you mail the slides to ann@example.org?", "Maria Lopez"),
    Passage("t7", "Yes. Without the certification there is no launch.", "Dev Patel"),
)
OLD = Passage("p9", "Please print the customs papers for bob@example.org.", shown=False)


def ask(wanted, *passages, words=200, language="en"):
    extraction = Extraction(wanted, language, passages, words)
    request = CompletionRequest(None, (), extraction=extraction)
    return Extractive().answer(request)


def read(wanted, *passages, **options):
    return json.loads(ask(wanted, *passages, **options).text)


def test_the_completion_says_that_no_model_was_asked():
    completion = ask("keywords", *MEETING)

    assert completion.model == "extractive"
    assert completion.finish_reason == "stop"
    assert completion.usage == Usage(source="none")


@pytest.mark.parametrize(
    ("wanted", "fields"),
    [
        ("summary", {"summary", "action_items", "decisions", "dates", "keywords"}),
        ("action_items", {"action_items"}),
        ("keywords", {"keywords"}),
        ("entities", {"entities"}),
    ],
)
def test_each_type_fills_its_fields_of_the_digest(wanted, fields):
    assert set(read(wanted, *MEETING)) == fields


def test_the_summary_is_made_of_sentences_of_the_document():
    summary = read("summary", *MEETING)["summary"]
    source = " ".join(passage.text for passage in MEETING)

    assert summary["bullets"]
    for text in (summary["short"], *summary["bullets"]):
        assert text in source


def test_the_words_of_the_summary_are_bounded():
    for words in (8, 12, 20):
        summary = read("summary", *MEETING, words=words)["summary"]
        text = " ".join((summary["short"], *summary["bullets"]))
        assert 0 < len(text.split()) <= words


def test_the_points_stand_in_source_order():
    topics = ("budget", "printing", "posters", "campaign", "launch")
    lines = [
        f"Number {n}: the {topics[n % 5]} needs the {topics[(n + 1) % 5]} and money"
        for n in range(40)
    ]
    passages = [Passage(f"t{n}", f"{line}.") for n, line in enumerate(lines)]

    bullets = read("summary", *passages)["summary"]["bullets"]

    places = [lines.index(bullet.rstrip(".")) for bullet in bullets]
    assert len(places) > 3
    assert places == sorted(places)


def test_a_question_sums_up_nothing_when_something_is_said():
    lines = [
        "Who pays for the launch campaign budget and these new posters?",
        "The launch campaign budget pays for these new posters.",
        "Our launch saves the budget for a campaign without posters.",
        "Nobody watered the plants in this kitchen since last summer.",
        "Somebody parked his bicycle before the window of my office.",
    ]
    passages = [Passage(f"t{n}", line) for n, line in enumerate(lines)]

    summary = read("summary", *passages)["summary"]

    assert lines[0] not in summary["short"]
    assert lines[0] in summary["bullets"]


def test_a_long_best_sentence_stands_alone():
    long = (
        "The launch budget covers posters and films and " + "very " * 22 + "much more."
    )
    passages = [Passage(f"t{n}", long.replace("films", f"films{n}")) for n in range(4)]

    summary = read("summary", *passages)["summary"]

    assert summary["short"].count(".") == 1
    assert len(summary["bullets"]) == 1


def test_tasks_have_an_owner_their_date_words_and_a_whole_sentence_as_quote():
    first, second = read("action_items", *MEETING)["action_items"]

    assert first.pop("due_text") in MEETING[4].text
    assert first == {
        "task": MEETING[4].text,
        "owner": "Dev Patel",
        "due": None,
        "status": "open",
        "evidence": {"quote": MEETING[4].text, "part": "t5"},
    }
    assert second["owner"] == "Dev Patel"
    assert second["evidence"] == {"quote": MEETING[5].text, "part": "t6"}


def test_decisions_and_dates_carry_their_sentence():
    facts = read("summary", *MEETING)

    assert facts["decisions"] == [
        {
            "text": MEETING[3].text,
            "evidence": {"quote": MEETING[3].text, "part": "t4"},
        }
    ]
    (friday,) = [date for date in facts["dates"] if "13 March" in date["text"]]
    assert friday["date"] is None
    assert friday["evidence"] == {"quote": MEETING[4].text, "part": "t5"}


def test_quotes_keep_line_breaks_and_prose_does_not():
    text = "Could you please confirm the loading bay number until\nThursday noon?"

    (item,) = read("action_items", Passage("p1", text))["action_items"]

    assert item["evidence"]["quote"] == text
    assert item["task"] == text.replace("\n", " ")


def test_entities_are_found_once_with_their_kind():
    text = "Pay 1.200 EUR by 4 May 2026 (https://example.org/bill), ann@example.org."

    found = read("entities", Passage("p1", text), Passage("p2", text))["entities"]

    assert {(entity["kind"], entity["text"]) for entity in found} >= {
        ("url", "https://example.org/bill"),
        ("email", "ann@example.org"),
    }
    assert {"amount", "date"} <= {entity["kind"] for entity in found}
    assert all(entity["evidence"] == {"quote": text, "part": "p1"} for entity in found)


def test_nothing_is_taken_from_what_is_not_shown():
    facts = read("summary", *MEETING, OLD)
    entities = read("entities", *MEETING, OLD)["entities"]

    assert "customs" not in json.dumps(facts)
    assert [entity["text"] for entity in entities if entity["kind"] == "email"] == [
        "ann@example.org"
    ]


@pytest.mark.parametrize("wanted", ["reply", "sentiment", "custom", "translation", "x"])
def test_what_takes_a_model_says_how_to_add_one(wanted):
    with pytest.raises(NoModelConfigured) as error:
        ask(wanted, *MEETING)

    assert wanted in error.value.details
    assert "OPENAI_API_KEY" in error.value.details
    for word in ("providers", "deployments", "routes"):
        assert word in error.value.details


def test_a_conversation_takes_a_model():
    request = CompletionRequest(None, (Message("user", "Hello"),))

    with pytest.raises(NoModelConfigured, match="No language model is configured"):
        Extractive().answer(request)


def test_an_empty_document_gives_an_empty_digest():
    facts = read("summary", Passage("p1", " \n"))

    assert facts.pop("summary") == {"short": "", "bullets": []}
    assert not any(facts.values())
    assert read("entities") == {"entities": []}


@given(st.lists(st.text(), max_size=5), st.sampled_from(["summary", "entities"]))
def test_any_text_has_an_answer_and_every_quote_stands_in_it(texts, wanted):
    passages = [Passage(f"p{n}", text, "Ann") for n, text in enumerate(texts)]

    facts = read(wanted, *passages)

    source = {passage.id: passage.text for passage in passages}
    for found in facts.values():
        for fact in found if isinstance(found, list) else ():
            if isinstance(fact, dict):
                evidence = fact["evidence"]
                assert evidence["quote"] in source[evidence["part"]]
            else:
                assert any(fact in text for text in source.values())


@pytest.mark.parametrize("language", ["ja", "zh", "th", "ru", "ar", "hi", "ko"])
def test_any_language_that_has_sentences_has_a_summary(language):
    lines = {
        "ja": "予算会議は木曜日に開催されます。予算の承認は会議で行われる予定です。",
        "zh": "预算会议将在星期四举行。会议将批准新的预算方案和时间表。",
        "th": "การประชุมงบประมาณจะจัดขึ้นในวันพฤหัสบดี",
        "ru": "Заседание по бюджету запуска состоится в четверг утром. "
        "Бюджет запуска утверждает новое заседание комитета.",
        "ar": "سيعقد اجتماع ميزانية الإطلاق يوم الخميس صباحا. "
        "يوافق اجتماع اللجنة على ميزانية الإطلاق الجديدة.",
        "hi": "बजट की बैठक गुरुवार को सुबह होगी। समिति की बैठक नए बजट को मंजूरी देगी।",
        "ko": "출시 예산 회의는 목요일 오전에 열립니다. "
        "위원회 회의에서 출시 예산 승인합니다.",
    }
    text = lines[language]

    facts = read("summary", Passage("p1", text), language=language)

    assert facts["summary"]["short"] in text
    assert facts["summary"]["short"]


def test_the_same_input_gives_the_same_bytes_in_every_process():
    program = (
        "import json, sys\n"
        "from flaskllm.llm.providers.extractive import Extractive\n"
        "from flaskllm.llm.types import *\n"
        "passages = tuple(Passage(*row) for row in json.load(sys.stdin))\n"
        "extraction = Extraction('summary', 'en', passages)\n"
        "request = CompletionRequest(None, (), extraction=extraction)\n"
        "print(json.dumps(Extractive().answer(request).text))\n"
    )
    rows = json.dumps([(p.id, p.text, p.speaker) for p in MEETING])

    texts = {
        subprocess.run(
            [sys.executable, "-c", program],
            input=rows,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert {json.loads(text) for text in texts} == {ask("summary", *MEETING).text}


@pytest.mark.no_cover
def test_a_hundred_thousand_words_take_seconds():
    subjects = ["budget", "launch", "poster", "campaign", "forecast", "audit", "pilot"]
    n_lines = rounds(1_500, 6_500)
    lines = [
        f"The {subjects[n % 7]} {n} waits for the {subjects[n % 5]} of team {n % 100}. "
        f"I'll send the {subjects[n % 3]} by Friday."
        for n in range(n_lines)
    ]
    passages = [Passage(f"t{n}", line, f"Ann {n % 9}") for n, line in enumerate(lines)]
    assert sum(len(line.split()) for line in lines) > rounds(23_000, 100_000)
    start = time.perf_counter()

    ask("summary", *passages)

    assert time.perf_counter() - start < rounds(6, 20)
