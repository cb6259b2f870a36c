"""Words that are names of people and words of daily talk as well."""

import unicodedata
from typing import Final

_MARKS = dict.fromkeys(range(0x300, 0x370))


def name_key(word: str) -> str:
    """Return a word without case and accents: by this names are compared."""
    return unicodedata.normalize("NFKD", word.casefold()).translate(_MARKS)


def _words(text: str) -> frozenset[str]:
    return frozenset(map(name_key, text.split()))


TITLES: Final = _words(
    """
    mr mrs ms miss dr prof professor sir herr frau fr hr mme mlle monsieur madame sr
    sra srta senor senora señor señora sig signora dott ing mag dipl
    """
)

NO_NAMES: Final = _words(
    """
    speaker unknown guest participant attendee host moderator sprecher sprecherin
    teilnehmer teilnehmerin gast unbekannt intervenant participante orador invitado
    team support sales info office contact kontakt service noreply reply mailer daemon
    admin help helpdesk desk billing marketing news newsletter hello mail postmaster
    orders order accounts accounting hr jobs career press legal it security alerts alert
    notifications notification updates events invoices invoice rechnung buchhaltung
    bestellung kundenservice presse vertrieb verkauf comercial ventas facturacion
    commandes compta bonjour hola hallo hi booking reservations feedback members list
    all everyone staff webmaster root abuse status ops dev do no not
    gmbh inc ltd llc corp company group the of and und et y von van der den de del
    della di da do dos du la le el al bin ibn zu zum ter ten
    """
)
"""Never a name by themselves: labels, mailboxes, and what stands within a name."""

MONTHS: Final = _words("april may june july august march mai juni juli marz mars avril")
"""Also first names: beside a day or a year they are a date."""

COMMON_WORDS: Final = _words(
    """
    max dan jan mar sol les ann
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
    """
)
"""In small letters they are taken for the word."""
