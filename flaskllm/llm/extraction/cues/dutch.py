"""Cues of Dutch."""

from flaskllm.llm.extraction.cues.form import Cues

_DO = (
    "bel|bekijk|bereid|beantwoord|bestel|betaal|bevestig|boek|breng|check|controleer|"
    "corrigeer|deel|doe|dien|geef|haal|herinner|informeer|koop|kijk|laat|lever|mail|"
    "maak|"
    "neem|nodig|onderzoek|organiseer|overleg|pak|pas|plan|regel|repareer|reserveer|"
    "schrijf|spreek|stel|stuur|test|vertaal|verzamel|verzend|verwerk|vraag|vul|werk|"
    "zoek|zorg|zet"
)
_DO_INFINITIVE = (
    "aanpassen|aanvragen|aanvullen|afmaken|afronden|bekijken|bellen|beantwoorden|"
    "bespreken|bestellen|betalen|bevestigen|boeken|brengen|checken|contacteren|"
    "controleren|corrigeren|delen|doorsturen|geven|herinneren|informeren|inplannen|"
    "installeren|invullen|kopen|leveren|mailen|maken|meenemen|nakijken|navragen|"
    "nemen|ondertekenen|onderzoeken|opbellen|oplossen|opnemen|opsturen|opstellen|"
    "organiseren|overleggen|plannen|regelen|reserveren|schrijven|sturen|terugbellen|"
    "testen|toesturen|toevoegen|uitnodigen|uitzoeken|verifiëren|versturen|vertalen|"
    "verwijderen|verzamelen|verzetten|voorbereiden|vragen|zoeken|zorgen"
)
_ANY = r"(?:[^\s.;?!]+ ){0,12}"

CUES = Cues(
    commitment=(
        rf"ik (?:{_DO})",
        rf"(?:{_DO}) ik",
        rf"(?:ik (?:zal|ga|kan|wil|moet)|(?:zal|ga|kan) ik) {_ANY}(?:{_DO_INFINITIVE})",
        r"(?:doe ik|ik pak (?:dat|het) op|dat pak ik op)",
    ),
    request=(
        rf"(?:kun|kan|zou|wil) (?:je|jij|u) {_ANY}(?:{_DO_INFINITIVE})",
        rf"(?:kunnen|zouden|willen) jullie {_ANY}(?:{_DO_INFINITIVE})",
        rf"(?:{_DO}) (?:\S+ ){{0,8}}(?:alsjeblieft|alstublieft|aub|graag|svp)",
        rf"(?:gelieve|graag|wilt u|verzoeke|s\.v\.p\.) {_ANY}(?:{_DO_INFINITIVE})",
        rf"(?:je|jij|u|jullie) (?:moet|moeten) {_ANY}(?:{_DO_INFINITIVE})",
        r"(?:laat|laten) (?:me|ons|het me|het ons) (?:\S+ ){0,3}weten",
    ),
    obligation=(
        rf"(?:iemand|er) (?:moet|zou|zal) {_ANY}(?:{_DO_INFINITIVE}|worden)",
        rf"(?:we|wij) (?:moeten|zouden|zullen) {_ANY}(?:{_DO_INFINITIVE})",
        rf"(?:moeten|zullen) (?:we|wij) {_ANY}(?:{_DO_INFINITIVE})",
        r"(?:actiepunten?|acties?|te doen|volgende stappen) ?:",
    ),
    assignment=(
        rf"(?:zal|gaat|moet) {_ANY}(?:{_DO_INFINITIVE})",
        r"(?:stuurt|regelt|belt|controleert|maakt|schrijft|boekt|bestelt|brengt|zorgt)",
    ),
    idle=(
        r"(?:kun|kan|kunt) (?:je|u) (?:\S+ ){0,6}(?:herhalen|uitleggen|horen|zien|"
        r"zeggen)",
        r"ik (?:vraag me af|zoek naar|denk|bedoel|werk (?:al|nu|bij|aan))",
        r"(?:hoe|waarom|wanneer|waar|wie|wat) (?:\w+ )?(?:ik|we|wij|je|u)",
        r"(?:mag|kan) ik (?:even |nog )?(?:vragen|zeggen|aanvullen)",
        r"(?:hoeft|hoef) (?:niet|je niet|u niet)|niet nodig",
        r"(?:had|hadden) (?:ik|we|je) (?:\S+ ){0,4}(?:moeten|kunnen)",
        r"bel ik (?:ongelegen|gelegen)",
    ),
    decision=(
        r"(?:we hebben|wij hebben|is|hebben we|we zijn) (?:\S+ ){0,10}(?:besloten|"
        r"afgesproken|beslist|overeengekomen|vastgesteld)",
        r"(?:dan|dus|goed,?|oké,?) (?:nemen|gebruiken|verplaatsen|houden|kiezen|"
        r"schuiven|"
        r"stellen|gaan|doen|laten) we",
        r"(?:we|wij) (?:kiezen voor|gaan voor|houden het op|blijven bij|stellen "
        r".{1,40} uit)",
        r"laten we (?:\S+ ){1,6}(?:gebruiken|nemen|verplaatsen|uitstellen|houden|"
        r"kiezen)",
        r"besluit ?:",
    ),
    undecided=(
        r"(?:nog niet|niet|nooit) (?:besloten|afgesproken|beslist)",
        r"(?:of|voordat) we|(?:moeten|kunnen|willen|zouden) we",
        r"we (?:moeten|kunnen|willen|zouden)",
    ),
    condition=("als", "indien", "wanneer", "mocht", "tenzij"),
    refusal=(
        r"(?:sorry,? )?(?:nee|helaas)",
        r"(?:sorry,? )?(?:dat )?(?:kan|lukt) (?:ik |mij |me )?(?:\S+ ){0,3}niet",
        r"ik kan (?:\S+ ){0,4}niet|(?:dat )?heb ik al",
    ),
    retraction=(
        r"(?:laat maar|vergeet (?:dat|het) maar|vergeet (?:dat|het))",
        r"(?:dat )?(?:is|hoeft) niet meer(?: nodig)?",
    ),
    deadline=("vóór", "voor", "uiterlijk", "tot", "tegen", "uiterlijk op"),
)
