"""The cues of each language: what people promise, ask for, decide, and only say."""

import pytest

from flaskllm.llm.extraction.actions import find_actions, find_decisions
from flaskllm.llm.extraction.cues import CUES
from flaskllm.llm.extraction.reading import Sentence
from flaskllm.llm.extraction.words import count_words, find_terms

PROMISED = {
    "en": [
        "I'll send the revised forecast by Friday.",
        "I will call the supplier tomorrow.",
        "I'm going to book the room for Monday.",
    ],
    "de": [
        "Ich rufe Frau Groß heute Nachmittag an.",
        "Heute schreibe ich die Tests.",
        "Ich werde das Angebot bis Freitag verschicken.",
    ],
    "fr": [
        "Je vous envoie le devis vendredi.",
        "Je vais préparer la présentation pour lundi.",
        "Je m'occupe de la réservation.",
    ],
    "es": [
        "Te envío el presupuesto el viernes.",
        "Voy a preparar la presentación para el lunes.",
        "Me encargo de la reserva del hotel.",
    ],
    "it": [
        "Ti mando il preventivo venerdì.",
        "Preparo la presentazione per lunedì.",
        "Mi occupo della prenotazione.",
    ],
    "nl": [
        "Ik stuur de offerte vrijdag.",
        "Morgen bel ik de leverancier.",
        "Ik zal de presentatie voor maandag voorbereiden.",
    ],
    "pt": [
        "Envio o orçamento na sexta-feira.",
        "Vou preparar a apresentação para segunda-feira.",
        "Eu fico responsável pela reserva do hotel.",
    ],
    "sv": [
        "Jag skickar offerten på fredag.",
        "Imorgon ringer jag leverantören.",
        "Jag ska förbereda presentationen till måndag.",
    ],
    "pl": [
        "Wyślę ofertę w piątek.",
        "Jutro zadzwonię do dostawcy.",
        "Przygotuję prezentację na poniedziałek.",
    ],
}
ASKED = {
    "en": [
        "Could you confirm the loading bay by Thursday noon?",
        "Please send me the signed contract.",
        "Can you share the slides with the team?",
    ],
    "de": [
        "Könnten Sie mir bitte die Unterlagen schicken?",
        "Bitte senden Sie uns die Steuernummer.",
        "Kannst du die Testumgebung prüfen?",
    ],
    "fr": [
        "Pouvez-vous confirmer la livraison avant jeudi ?",
        "Merci de nous envoyer le contrat signé.",
        "Peux-tu vérifier les chiffres ?",
    ],
    "es": [
        "¿Puedes confirmar la entrega antes del jueves?",
        "Por favor, envíe el contrato firmado.",
        "¿Podría revisar las cifras?",
    ],
    "it": [
        "Puoi confermare la consegna entro giovedì?",
        "Per favore, inviate il contratto firmato.",
        "Potrebbe controllare le cifre?",
    ],
    "nl": [
        "Kun je de levering voor donderdag bevestigen?",
        "Stuur ons graag het getekende contract.",
        "Zou u de cijfers willen controleren?",
    ],
    "pt": [
        "Pode confirmar a entrega até quinta-feira?",
        "Por favor, envie o contrato assinado.",
        "Poderia verificar os números?",
    ],
    "sv": [
        "Kan du bekräfta leveransen före torsdag?",
        "Vänligen skicka det undertecknade kontraktet.",
        "Skulle du kunna kontrollera siffrorna?",
    ],
    "pl": [
        "Czy możesz potwierdzić dostawę do czwartku?",
        "Proszę o przesłanie podpisanej umowy.",
        "Czy mogłaby pani sprawdzić liczby?",
    ],
}
LEFT_OPEN = {
    "en": [
        "Someone should check the sign-on logs before the pilot.",
        "We need to update the documentation.",
        "The invoice needs to be paid by Friday.",
    ],
    "de": [
        "Jemand muss die Protokolle prüfen.",
        "Wir müssen die Dokumentation aktualisieren.",
    ],
    "fr": [
        "Quelqu'un doit vérifier les journaux avant le pilote.",
        "Il faut mettre à jour la documentation.",
    ],
    "es": [
        "Alguien debe revisar los registros antes del piloto.",
        "Hay que actualizar la documentación.",
    ],
    "it": [
        "Qualcuno deve controllare i registri prima del test.",
        "Bisogna aggiornare la documentazione.",
    ],
    "nl": [
        "Iemand moet de logboeken controleren.",
        "We moeten de documentatie bijwerken en controleren.",
    ],
    "pt": [
        "Alguém deve verificar os registos antes do piloto.",
        "Precisamos de atualizar a documentação.",
    ],
    "sv": [
        "Någon måste kontrollera loggarna före pilottestet.",
        "Vi behöver uppdatera dokumentationen.",
    ],
    "pl": [
        "Ktoś musi sprawdzić logi przed pilotażem.",
        "Musimy zaktualizować dokumentację.",
    ],
}
ASSIGNED = {
    "en": [
        "Jorge will bring the customs papers himself.",
    ],
    "de": [
        "Frau Groß schickt die Freigabe am Montag.",
    ],
    "fr": [
        "Sophie enverra le compte rendu demain.",
    ],
    "es": [
        "Jorge traerá los papeles de aduana.",
    ],
    "it": [
        "Giulia preparerà il verbale della riunione.",
    ],
    "nl": [
        "Jorge brengt de douanepapieren mee.",
    ],
    "pt": [
        "Jorge trará os papéis da alfândega.",
    ],
    "sv": [
        "Jorge ordnar tullpapperen.",
    ],
    "pl": [
        "Jorge przyniesie dokumenty celne.",
    ],
}
DECIDED = {
    "en": [
        "We decided to postpone the launch.",
        "Let's move the launch to May fourth.",
        "We agreed on the new price of twelve euros.",
    ],
    "de": [
        "Dann nehmen wir siebzehn.",
        "Wir haben beschlossen, den Start zu verschieben.",
    ],
    "fr": [
        "Nous avons décidé de reporter le lancement.",
        "On a choisi le nouveau fournisseur.",
        "Il a été décidé de fermer le bureau.",
    ],
    "es": [
        "Hemos decidido aplazar el lanzamiento.",
        "Acordamos usar el nuevo proveedor.",
    ],
    "it": [
        "Abbiamo deciso di rinviare il lancio.",
        "È stato deciso di chiudere l'ufficio.",
    ],
    "nl": [
        "We hebben besloten de lancering uit te stellen.",
        "Dan nemen we versie zeventien.",
    ],
    "pt": [
        "Decidimos adiar o lançamento.",
        "Foi decidido fechar o escritório.",
    ],
    "sv": [
        "Vi har beslutat att skjuta upp lanseringen.",
        "Då tar vi version sjutton.",
    ],
    "pl": [
        "Postanowiliśmy przełożyć premierę.",
        "Zdecydowaliśmy się na nowego dostawcę.",
    ],
}
NEITHER = {
    "en": [
        "Can you hear me?",
        "Did you send the report yesterday?",
        "I was going to call the supplier.",
        "I think that's a good idea.",
        "If they push past six I'll bring it back.",
        "Could you repeat the question about the price?",
        "How can we fix the login page?",
        "I can see the slides now.",
        "We have not decided about the price.",
    ],
    "de": [
        "Bis wann brauchst du die spätestens?",
        "Können Sie mich hören?",
        "Ich habe gestern die Schnittstelle fertig gemacht.",
        "Das finde ich gut.",
        "Wenn das klappt, schicke ich das Angebot.",
        "Wie bitte?",
        "Wir haben noch nicht entschieden, welche Version kommt.",
    ],
    "fr": [
        "Vous m'entendez ?",
        "J'ai envoyé le rapport hier.",
        "Pouvez-vous répéter la question ?",
        "C'est une bonne idée.",
        "Si tout va bien, je vous envoie le devis.",
        "Je me demande si c'est utile.",
    ],
    "es": [
        "¿Me oyes bien?",
        "Ayer envié el informe al cliente.",
        "¿Puede repetir la pregunta?",
        "Es una buena idea.",
        "Si todo va bien, te envío el presupuesto.",
    ],
    "it": [
        "Mi sentite bene?",
        "Ieri ho mandato il rapporto al cliente.",
        "Può ripetere la domanda?",
        "È una buona idea.",
        "Se va tutto bene, ti mando il preventivo.",
    ],
    "nl": [
        "Kun je me horen?",
        "Gisteren heb ik het rapport verstuurd.",
        "Kunt u de vraag herhalen?",
        "Dat is een goed idee.",
        "Als alles goed gaat, stuur ik de offerte.",
    ],
    "pt": [
        "Consegue ouvir-me bem?",
        "Ontem enviei o relatório ao cliente.",
        "Pode repetir a pergunta?",
        "É uma boa ideia.",
        "Se tudo correr bem, envio o orçamento.",
    ],
    "sv": [
        "Hör du mig?",
        "Igår skickade jag rapporten till kunden.",
        "Kan du upprepa frågan?",
        "Det är en bra idé.",
        "Om allt går bra skickar jag offerten.",
    ],
    "pl": [
        "Czy mnie słychać?",
        "Wczoraj wysłałem raport do klienta.",
        "Czy może pan powtórzyć pytanie?",
        "To dobry pomysł.",
        "Jeśli wszystko pójdzie dobrze, wyślę ofertę.",
    ],
}


def cases(table):
    return [
        pytest.param(language, text, id=f"{language}-{text}")
        for language, texts in table.items()
        for text in texts
    ]


def say(language, text):
    terms = tuple(find_terms(text, language))
    return [Sentence("p1", "Ann", text, language, terms, (), count_words(text), True)]


def owners(language, text):
    return [action.owner for action in find_actions(say(language, text))]


@pytest.mark.parametrize(("language", "text"), cases(PROMISED))
def test_who_promises_owns_the_task(language, text):
    assert owners(language, text) == ["Ann"]


@pytest.mark.parametrize(("language", "text"), cases(ASKED))
def test_a_request_is_a_task_without_an_owner(language, text):
    assert owners(language, text) == [None]


@pytest.mark.parametrize(("language", "text"), cases(LEFT_OPEN))
def test_what_somebody_must_do_is_nobodys_task_yet(language, text):
    assert owners(language, text) == [None]


@pytest.mark.parametrize(("language", "text"), cases(ASSIGNED))
def test_a_named_person_who_will_do_it_owns_the_task(language, text):
    (owner,) = owners(language, text)

    assert text.startswith(owner)
    assert owner[0].isupper()


@pytest.mark.parametrize(("language", "text"), cases(DECIDED))
def test_decisions_are_found_and_are_no_tasks(language, text):
    sentences = say(language, text)

    assert find_decisions(sentences) == sentences
    assert find_actions(sentences) == []


@pytest.mark.parametrize(("language", "text"), cases(NEITHER))
def test_talk_is_neither_a_task_nor_a_decision(language, text):
    sentences = say(language, text)

    assert find_actions(sentences) == []
    assert find_decisions(sentences) == []


def test_every_language_with_cues_is_tested():
    for table in (PROMISED, ASKED, LEFT_OPEN, ASSIGNED, DECIDED, NEITHER):
        assert set(table) == set(CUES)
