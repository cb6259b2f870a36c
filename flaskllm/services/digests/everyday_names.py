"""Words that are names of people and words of daily talk as well."""

import unicodedata
from collections.abc import Sequence
from typing import Final

PLAIN_LETTERS: Final = str.maketrans(
    {"æ": "ae", "œ": "oe", "þ": "th"} | dict(zip("łøđðħı", "loddhi", strict=True))
)
"""Letters that Unicode does not take apart, as people write them without."""

_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_MARKS = dict.fromkeys((*range(0x300, 0x370), 0x200C, 0x200D))


def name_key(word: str) -> str:
    """Return a word without case and accents: by this names are compared.

    Nothing of it is kept: a word of a document is not to outlive its digest.
    """
    plain = word.casefold()
    if plain.isascii():
        return plain
    parted = unicodedata.normalize("NFKD", plain.translate(PLAIN_LETTERS))
    return parted.translate(_MARKS)


def spelled_out(word: str) -> str:
    """Return the key of a word whose umlauts and rings are spelled out: "Aase"."""
    composed = unicodedata.normalize("NFC", word.casefold())
    return name_key(composed.translate(_SPELLED_OUT))


def _words(text: str) -> frozenset[str]:
    return frozenset(map(name_key, text.split()))


TITLES: Final = _words(
    """
    mr mrs ms miss dr prof professor sir herr frau fr hr mme mlle monsieur madame sr
    sra srta senor senora señor señora sig signora dott ing mag dipl
    """
)

_TITLES_AND_NAMES = _words("miss sir sig ing mag")

LABELS: Final = _words(
    """
    speaker unknown guest participant attendee host moderator sprecher sprecherin
    teilnehmer teilnehmerin gast unbekannt intervenant participante orador invitado
    you me ich moi presenter organizer organiser interviewer interviewee customer
    client agent caller operator narrator assistant user bot notetaker room anonymous
    moderatorin kunde kundin anrufer anruferin berater beraterin animateur animatrice
    cliente moderador presentador anfitrion
    team support sales info office contact kontakt service noreply reply mailer daemon
    admin help helpdesk desk billing marketing news newsletter hello mail postmaster
    orders order accounts accounting hr jobs career press legal it security alerts alert
    notifications notification updates events invoices invoice rechnung buchhaltung
    bestellung kundenservice presse vertrieb verkauf comercial ventas facturacion
    commandes compta bonjour hola hallo hi booking reservations feedback members list
    all everyone staff webmaster root abuse status ops no not
    gmbh inc ltd llc corp company group person persona personne
    """
)
"""Alone they name no person: what somebody does, a mailbox, a device."""

MAILBOXES: Final = LABELS | _words("dev")
"""Before the `@` they name no person, whoever may be called so."""

FIRMS: Final = _words(
    """
    team support gmbh inc ltd llc corp company group noreply newsletter kundenservice
    helpdesk buchhaltung marketing webmaster postmaster speaker participant attendee
    unknown
    """
)
"""Within a longer name they are still nobody's."""

PARTICLES: Final = _words(
    """
    of and und et y von van der den de del della di da do dos du la le les el il los
    las al bin ibn zu zum ter ten the
    """
)
"""They stand within a name; some are names as well ("Van", "Al", "Le")."""

_LINKS = _words("and und et y of")

PREFIXES: Final = PARTICLES - _LINKS | _words("o d l mc mac")
"""They may be written in one with what follows: "OBrien", "DeSouza"."""

ARTICLES: Final = _words("the der den la les el il los las")
"""Particles that no name begins with but that of a firm or a place."""

_LABEL_PHRASES = frozenset({("do", "not", "reply"), ("e", "mail")})

MONTHS: Final = _words("april may june july august march mai juni juli marz mars avril")
"""Also first names: beside a day or a year they are a date."""

COMMON_WORDS: Final = _words(
    """
    max dan jan mar sol les ann dev ray can she you son hung sang even odd are per
    will mark may june april august march rose grace hope faith joy art bill sue pat
    rob drew chase jack dean frank grant guy gene glen hunter jean jay josh lance
    miles nick pierce rich rusty sandy skip stone summer sunny violet wade ward woody
    brown green white black gray grey young long short strong king price bank banks
    field fields hill wood woods park parks page cook baker carpenter cooper fisher
    mason miller parker porter taylor walker turner weaver ford forest rivers lake
    bush best good love winter case cash chance chip christian crystal dale dawn
    destiny eve ginger harmony holly iris ivy lily major melody mercy olive patience
    pearl penny pepper piper reed robin ruby sage star sterling temple trip van victor
    virginia wells west north south sommer herbst klein groß gross lang kurz neu
    schwarz weiß weiss braun rot roth grün jung stark schnell fromm kühn ernst frei
    bauer becker koch richter schneider fischer weber wagner zimmermann schäfer vogel
    hahn fuchs wolf berg stein baum wald sonne stern horn kraft engel kaiser könig
    graf herr mai juni juli karl heide linde petit grand blanc noir roux rousseau
    marin meunier berger boucher page roy rey cruz luz paz flores rosa santos reina
    rubio moreno blanco delgado calvo bello costa serena chiara bella gioia france
    pierre olivier colombe aurore claire constant prudence angel jesus dolores
    mercedes pilar consuelo soledad socorro rosario concepcion
    clay cliff earl duke heath basil lane law post said
    """
)
"""In small letters they are taken for the word, as those above are."""

GREETINGS: Final = _words(
    """
    hi hey hello dear thanks hallo liebe lieber danke salut bonjour cher chère merci
    hola querido querida gracias ciao caro cara grazie
    """
)
"""After one of them a name stands, even in small letters."""


def titles_before(keys: Sequence[str]) -> int:
    """Return how many words in front of a name are titles; at least one is none.

    "Sig" and its like are a title before two names, and before one a first name.

    Args:
        keys: The words of a name, as `name_key` returns them.
    """
    count = 0
    while len(keys) - count > 1 and keys[count] in TITLES:
        if keys[count] in _TITLES_AND_NAMES and len(keys) - count == 2:
            break
        count += 1
    return count


def is_label(keys: Sequence[str]) -> bool:
    """Tell whether a whole display name is of no person: "Host", "Guest B", "No Reply".

    What comes before the label makes a person: "Al Guest", "M. Kunde", "Mr Guest".

    Args:
        keys: Its words, as `name_key` returns them, titles included.
    """
    if tuple(keys) in _LABEL_PHRASES or all(map(_is_letter, keys)):
        return True
    said = keys[:-1] if _is_letter(keys[-1]) else keys
    return LABELS.issuperset((said[0], said[-1])) and all(
        key in LABELS or key in _LINKS for key in said
    )


def _is_letter(key: str) -> bool:
    return len(key) == 1 and key.isascii()
