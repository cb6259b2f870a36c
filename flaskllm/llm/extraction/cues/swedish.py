"""Cues of Swedish."""

from flaskllm.llm.extraction.cues.form import Cues

_DO = (
    "betalar|beställer|bekräftar|bokar|bjuder in|delar|fixar|fixar det|frågar|följer "
    "upp|"
    "förbereder|gör klart|hör av mig|hämtar|informerar|kollar|kontaktar|kontrollerar|"
    "köper|lägger|lämnar|mejlar|meddelar|ordnar|pratar med|påminner|ringer|reserverar|"
    "rättar|ser till|skapar|skickar|skriver|svarar|testar|tar fram|tar med|tar på mig|"
    "undersöker|uppdaterar|återkommer|översätter"
)
_DO_INFINITIVE = (
    "betala|beställa|bekräfta|boka|bjuda in|dela|fixa|fråga|följa upp|förbereda|ge|"
    "granska|höra av|hämta|informera|installera|kolla|kontakta|kontrollera|köpa|lägga|"
    "lämna|lösa|maila|mejla|meddela|ordna|prata med|påminna|ringa|reservera|rätta|se "
    "till|se över|skapa|skicka|skriva|svara|testa|ta fram|ta med|ta reda på|"
    "undersöka|uppdatera|vidarebefordra|återkomma|översätta"
)
_ANY = r"(?:[^\s.;?!]+ ){0,3}"

CUES = Cues(
    commitment=(
        rf"jag (?:{_DO})",
        rf"(?:{_DO}) jag",
        rf"(?:jag (?:ska|kan|kommer att|tänker|måste)|(?:ska|kan) jag) {_ANY}"
        rf"(?:{_DO_INFINITIVE})",
        r"(?:jag tar det|det tar jag|det fixar jag|jag tar hand om)",
    ),
    request=(
        rf"(?:kan|skulle|vill) (?:du|ni) (?:kunna )?{_ANY}(?:{_DO_INFINITIVE})",
        r"(?:skicka|ring|mejla|maila|kolla|bekräfta|boka|svara|meddela|återkom|se till|"
        r"kontrollera|förbered|fyll i|skriv)(?: \S+){0,10} (?:tack|är du snäll)",
        r"(?:vänligen|var vänlig|var snäll) (?:och )?\w+",
        rf"(?:du|ni) (?:måste|ska|bör|behöver) {_ANY}(?:{_DO_INFINITIVE})",
        r"(?:hör|återkom) gärna|låt (?:mig|oss) veta",
    ),
    obligation=(
        rf"(?:någon) (?:måste|bör|borde|behöver|ska) {_ANY}(?:{_DO_INFINITIVE})",
        rf"(?:vi (?:måste|bör|borde|behöver)|måste vi) {_ANY}(?:{_DO_INFINITIVE})",
        r"(?:att göra|åtgärder|nästa steg) ?:",
    ),
    assignment=(
        rf"(?:ska|kommer att|måste) {_ANY}(?:{_DO_INFINITIVE})",
        r"(?:skickar|ordnar|ringer|bokar|kontrollerar|kollar|skriver|förbereder|tar "
        r"med|"
        r"fixar)",
    ),
    idle=(
        r"(?:kan|skulle) (?:du|ni) (?:\S+ ){0,2}(?:upprepa|förklara|säga|höra|se mig)",
        r"jag (?:undrar|frågar mig|skriver (?:för att|eftersom|med anledning))",
        r"(?:hur|varför|när|var|vem|vad) (?:\w+ )?(?:jag|vi|du|ni)",
        r"(?:får|kan) jag (?:bara )?(?:fråga|säga|tillägga)",
        r"behöver (?:du |ni )?inte|inte nödvändigt",
        r"(?:skulle|borde) (?:jag|vi|du) ha",
    ),
    decision=(
        r"(?:vi har|har vi|vi) (?:\w+ )?(?:beslutat|bestämt|bestämde|beslutade|enats|"
        r"kommit överens|kom överens)",
        r"(?:det är|är|blev) (?:beslutat|bestämt|avgjort)",
        r"(?:då|så|bra,?|okej,?) (?:tar|kör|använder|flyttar|behåller|väljer|skjuter|"
        r"låter) vi",
        r"vi (?:kör på|väljer|flyttar|skjuter upp|håller fast|behåller)",
        r"beslut ?:",
    ),
    undecided=(
        r"(?:inte|ännu inte|aldrig) (?:beslutat|bestämt|bestämt oss)",
        r"(?:om|innan) vi|(?:ska|kan|bör|måste) vi|vi (?:ska|kan|bör|måste)",
    ),
    condition=("om", "när", "ifall", "såvida"),
    refusal=(
        r"(?:tyvärr|nej|nä)",
        r"(?:det )?(?:kan|hinner) jag (?:\S+ ){0,3}inte",
        r"jag (?:kan|hinner) (?:\S+ ){0,3}inte|(?:det )?har jag redan",
    ),
    retraction=(
        r"(?:glöm det|strunta i det|skit i det|bortse från det)",
        r"(?:det )?behövs inte längre",
    ),
    deadline=("senast", "innan", "före", "till", "senast på", "fram till"),
)
