"""How eight languages write their numbers in words: data, no more.

`number_tables` makes look-up tables from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """How a language writes its numbers.

    `units` are 0 to 19 (`eins/ein`: alone / within a compound), `tens` 20 to 90.
    `compounds` say how a ten and a unit join; what nobody writes does no harm.
    `ordinals` are 1 to 31, each with every one of `endings`. `scales` multiply
    what stands before them; those in `hundred` and `thousand` stick to it. After
    `tens_with_teens` French counts on to nineteen.
    """

    units: str
    tens: str
    compounds: tuple[str, ...]
    scales: Mapping[str, int]
    ordinals: str = ""
    endings: tuple[str, ...] = ("",)
    hundred: str = ""
    thousand: str = ""
    tens_with_teens: tuple[int, ...] = ()


RULES: Mapping[str, Rules] = {
    "en": Rules(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen "
        "fourteen fifteen sixteen seventeen eighteen nineteen",
        "twenty thirty forty/fourty fifty sixty seventy eighty ninety",
        ("{ten} {unit}",),
        {"dozen": 12, "hundred": 100, "thousand": 10**3, "million": 10**6}
        | {"millions": 10**6, "billion": 10**9, "trillion": 10**12},
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh "
        "twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth "
        "nineteenth twentieth twenty-first twenty-second twenty-third twenty-fourth "
        "twenty-fifth twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth "
        "thirty-first",
    ),
    "de": Rules(
        "null eins/ein zwei/zwo drei vier fünf sechs sieben acht neun zehn elf zwölf "
        "dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn",
        "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
        ("{unit}und{ten}",),
        {"dutzend": 12, "hundert": 100, "tausend": 10**3, "million": 10**6}
        | {"millionen": 10**6, "milliarde": 10**9, "milliarden": 10**9},
        "erst zweit dritt viert fünft sechst siebt/siebent acht neunt zehnt elft "
        "zwölft dreizehnt vierzehnt fünfzehnt sechzehnt siebzehnt achtzehnt "
        "neunzehnt zwanzigst einundzwanzigst zweiundzwanzigst dreiundzwanzigst "
        "vierundzwanzigst fünfundzwanzigst sechsundzwanzigst siebenundzwanzigst "
        "achtundzwanzigst neunundzwanzigst dreißigst einunddreißigst",
        ("e", "en", "er", "es", "em"),
        hundred="hundert/hundertund",
        thousand="tausend/tausendund",
    ),
    "nl": Rules(
        "nul een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien "
        "veertien vijftien zestien zeventien achttien negentien",
        "twintig dertig veertig vijftig zestig zeventig tachtig negentig",
        ("{unit}en{ten}",),
        {"dozijn": 12, "honderd": 100, "duizend": 10**3, "miljoen": 10**6}
        | {"miljard": 10**9},
        "eerste tweede derde vierde vijfde zesde zevende achtste negende tiende elfde "
        "twaalfde dertiende veertiende vijftiende zestiende zeventiende achttiende "
        "negentiende twintigste eenentwintigste tweeëntwintigste drieëntwintigste "
        "vierentwintigste vijfentwintigste zesentwintigste zevenentwintigste "
        "achtentwintigste negenentwintigste dertigste eenendertigste",
        hundred="honderd/honderden",
        thousand="duizend/duizenden",
    ),
    "sv": Rules(
        "noll ett/en två tre fyra fem sex sju åtta nio tio elva tolv tretton fjorton "
        "femton sexton sjutton arton nitton",
        "tjugo trettio fyrtio femtio sextio sjuttio åttio nittio",
        ("{ten}{unit}", "{ten} {unit}"),
        {"dussin": 12, "hundra": 100, "tusen": 10**3, "miljon": 10**6}
        | {"miljoner": 10**6, "miljard": 10**9, "miljarder": 10**9},
        "första andra tredje fjärde femte sjätte sjunde åttonde nionde tionde elfte "
        "tolfte trettonde fjortonde femtonde sextonde sjuttonde artonde nittonde "
        "tjugonde tjugoförsta tjugoandra tjugotredje tjugofjärde tjugofemte "
        "tjugosjätte tjugosjunde tjugoåttonde tjugonionde trettionde trettioförsta",
        hundred="hundra",
        thousand="tusen",
    ),
    "fr": Rules(
        "zéro un/une deux trois quatre cinq six sept huit neuf dix onze douze treize "
        "quatorze quinze seize dix-sept dix-huit dix-neuf",
        "vingt trente quarante cinquante soixante septante quatre-vingt/quatre-vingts "
        "nonante",
        ("{ten} {unit}", "{ten} et {unit}"),
        {"douzaine": 12, "cent": 100, "cents": 100, "mille": 10**3}
        | {"million": 10**6, "millions": 10**6, "milliard": 10**9, "milliards": 10**9},
        "premier/première",
        tens_with_teens=(60, 80),
    ),
    "es": Rules(
        "cero uno/un/una dos tres cuatro cinco/quin seis siete/sete ocho nueve/nove "
        "diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve",
        "veinte/veinti treinta cuarenta cincuenta sesenta setenta ochenta noventa",
        ("{ten} y {unit}", "{ten}{unit}"),
        {"docena": 12, "cien": 100, "ciento": 100, "cientos": 100, "mil": 10**3}
        | {"millón": 10**6, "millones": 10**6},
        "primero/primer",
        hundred="cientos/cientas/ientos/ientas",
    ),
    "it": Rules(
        "zero uno/un/una due tre quattro cinque sei sette otto nove dieci undici "
        "dodici tredici quattordici quindici sedici diciassette diciotto diciannove",
        "venti/vent trenta/trent quaranta/quarant cinquanta/cinquant "
        "sessanta/sessant settanta/settant ottanta/ottant novanta/novant",
        ("{ten}{unit}",),
        {"dozzina": 12, "cento": 100, "mille": 10**3, "mila": 10**3}
        | {"milione": 10**6, "milioni": 10**6, "miliardo": 10**9, "miliardi": 10**9},
        "primo",
        hundred="cento",
        thousand="mila/mille",
    ),
    "pt": Rules(
        "zero um/uma dois/duas/du três/tre quatro cinco/quin seis sete oito nove dez "
        "onze doze treze catorze/quatorze quinze dezasseis/dezesseis "
        "dezassete/dezessete dezoito dezanove/dezenove",
        "vinte trinta quarenta cinquenta sessenta setenta oitenta noventa",
        ("{ten} e {unit}",),
        {"dúzia": 12, "cem": 100, "cento": 100, "mil": 10**3}
        | {"milhão": 10**6, "milhões": 10**6},
        "primeiro",
        hundred="centos/centas/zentos/zentas/hentos/hentas",
    ),
}
