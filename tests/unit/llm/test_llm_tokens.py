import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.llm.tokens import (
    estimate,
    estimate_messages,
    estimate_usage,
    output_cap,
    room_tokens,
)
from flaskllm.llm.types import CompletionRequest, Deployment, Message

# Own sentences, and what a byte-level BPE of 131,000 entries and a SentencePiece
# of 32,000 count for them.
MEASURED = {
    "german": (
        "Sehr geehrte Damen und Herren, hiermit bestätige ich den Termin am "
        "Donnerstag, den 14. November 2026, um 15:30 Uhr. Bitte senden Sie mir die "
        "überarbeitete Datenschutzvereinbarung sowie die Auftragsbestätigung bis "
        "spätestens Freitag zu. Für Rückfragen stehe ich Ihnen gerne zur Verfügung. "
        "Mit freundlichen Grüßen",
        90,
        110,
    ),
    "french": (
        "Bonjour à tous, je vous confirme que la réunion aura lieu jeudi à quinze "
        "heures. Merci d'envoyer le contrat révisé avant vendredi. Nous avons décidé "
        "de reporter le lancement à la fin du mois, parce que les tests ne sont pas "
        "terminés. Cordialement",
        57,
        77,
    ),
    "finnish": (
        "Hyvää päivää, vahvistan kokouksen torstaina kello viisitoista. Lähettäkää "
        "tarkistettu sopimus viimeistään perjantaina. Päätimme siirtää julkaisun "
        "kuun loppuun, koska testit eivät ole vielä valmiita.",
        67,
        94,
    ),
    "russian": (
        "Здравствуйте, подтверждаю, что встреча состоится в четверг в пятнадцать "
        "часов. Пожалуйста, пришлите исправленный договор не позднее пятницы. Мы "
        "решили перенести запуск на конец месяца, потому что испытания ещё не "
        "закончены.",
        66,
        93,
    ),
    "chinese": (
        "大家好，我确认会议将在星期四下午三点举行。请最迟在星期五之前把修改后的合同发给"
        "我。我们决定把发布推迟到月底，因为测试还没有完成。",
        56,
        65,
    ),
    "korean": (
        "안녕하세요, 회의가 목요일 오후 세 시에 열린다는 것을 확인해 드립니다. 수정된 "
        "계약서를 늦어도 금요일까지 보내 주시기 바랍니다. 시험이 아직 끝나지 않아 "
        "출시를 월말로 미루기로 했습니다.",
        55,
        116,
    ),
    "digits": (
        "4111 1111 1111 1111; 2026-11-21T05:30:12Z 12,345.67 99 1/2 8843291 0049 170 "
        "5551234",
        83,
        84,
    ),
}


@pytest.mark.parametrize(("text", "new", "old"), MEASURED.values(), ids=MEASURED)
def test_the_estimate_is_never_much_below_a_real_count(text, new, old):
    assert 0.85 * max(new, old) <= estimate(text) <= 1.25 * max(new, old)


def test_no_text_takes_no_tokens():
    assert estimate("") == 0


@given(st.text(min_size=1))
def test_any_text_takes_a_token_and_no_more_than_four_a_character(text):
    assert 1 <= estimate(text) <= 4 * len(text)


@given(st.text(), st.text())
def test_a_longer_text_never_takes_less(text, more):
    assert estimate(text + more) >= estimate(text)


def test_messages_cost_five_tokens_each_and_three_for_the_answer():
    messages = (Message("system", "one two"), Message("user", "three"))

    tokens = estimate_messages(messages)

    assert tokens == estimate("one two") + estimate("three") + 2 * 5 + 3


def test_an_estimated_usage_says_so():
    messages = (Message("user", "three"),)

    usage = estimate_usage(messages, "an answer")

    assert usage.source == "estimated"
    assert usage.tokens_input == estimate_messages(messages)
    assert usage.tokens_output == estimate("an answer")


CAPS = {
    "nobody says": (None, None, None),
    "only the deployment": (None, 100, None),
    "only the request": (50, None, 50),
    "the request is lower": (50, 100, 50),
    "the deployment is lower": (500, 100, 100),
}


@pytest.mark.parametrize(("asked", "longest", "cap"), CAPS.values(), ids=CAPS)
def test_the_cap_is_the_requests_and_no_higher_than_the_deployments(
    asked, longest, cap
):
    deployment = Deployment("a", "p", "openai", "m", max_output_tokens=longest)

    assert output_cap(CompletionRequest(None, (), asked), deployment) == cap


ROOMS = {
    "window unknown": (None, 100, 100, None),
    "no cap at all": (1000, None, None, 1000),
    "the request's cap is kept": (1000, None, 300, 700),
    "the deployment's longest answer is kept": (1000, 200, None, 800),
    "but at most a quarter": (1000, 1000, None, 750),
    "a cap beyond the window leaves nothing": (1000, None, 3000, 0),
}


@pytest.mark.parametrize(
    ("window", "longest", "asked", "room"), ROOMS.values(), ids=ROOMS
)
def test_the_room_is_the_window_less_the_answer(window, longest, asked, room):
    deployment = Deployment("a", "p", "openai", "m", window, longest)

    assert room_tokens(deployment, CompletionRequest(None, (), asked)) == room
