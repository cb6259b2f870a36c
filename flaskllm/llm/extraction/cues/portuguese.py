"""Cues of Portuguese, as written in Portugal and in Brazil."""

from flaskllm.llm.extraction.cues.form import Cues

_DO_INFINITIVE = (
    "acrescentar|adicionar|agendar|anexar|atualizar|avisar|buscar|colocar|comprar|"
    "concluir|confirmar|contactar|contatar|coordenar|corrigir|criar|dar|encaminhar|"
    "entregar|enviar|escrever|falar com|fazer|fechar|fornecer|imprimir|informar|"
    "instalar|ligar|levar|mandar|marcar|mudar|organizar|pagar|partilhar|passar|pedir|"
    "perguntar|preencher|preparar|publicar|redigir|remarcar|rever|resolver|reservar|"
    "responder|revisar|tratar|terminar|testar|traduzir|trazer|verificar|validar|assinar"
)
_DO = (
    "aviso|confirmo|confirmarei|contacto|contato|corrijo|encaminho|encaminharei|"
    "entrego|entregarei|envio|enviarei|escrevo|escreverei|faço|farei|informo|"
    "informarei|"
    "ligo|ligarei|levo|mando|mandarei|marco|marcarei|organizo|passo|peço|pedirei|"
    "preparo|prepararei|reservo|reservarei|respondo|responderei|revejo|trato|tratarei|"
    "trago|trarei|verifico|verificarei|atualizo|termino"
)
_CLITIC = r"(?:-(?:me|te|se|lhe|lhes|nos|vos|o|a|os|as|lo|la|los|las))?"
_OBJECT = r"(?:(?:me|te|se|lhe|lhes|nos|vos|o|a) )?"
_INFINITIVE = rf"(?:{_DO_INFINITIVE}){_CLITIC}"
_ANY = r"(?:[^\s.;?!]+ ){0,3}"

CUES = Cues(
    commitment=(
        rf"(?:eu )?(?<!não ){_OBJECT}(?:{_DO}){_CLITIC}",
        rf"(?:vou|posso|tenho de|tenho que|pretendo) {_ANY}{_INFINITIVE}",
        r"(?:eu )?(?:fico|ficarei) (?:responsável|encarregado|encarregada)",
        r"(?:eu )?(?:cuido|cuidarei|trato|me encarrego) (?:disso|disto|do|da)",
    ),
    request=(
        rf"(?:você |o senhor |a senhora )?(?:pode|podes|poderia|podia|podias|podem|"
        rf"poderiam|consegue|consegues) {_ANY}{_OBJECT}{_INFINITIVE}",
        rf"(?:por favor|favor|queira|agradeço que),? {_ANY}(?:{_INFINITIVE}|envie|"
        rf"envia|"
        r"enviem|confirme|confirma|mande|manda|verifique|verifica|ligue|liga|prepare|"
        r"prepara|responda|responde|avise|avisa|reserve)",
        r"(?:envie|mande|confirme|verifique|ligue|prepare|responda|avise)(?:-me|-nos)?"
        r" .{0,60}por favor",
        rf"(?:tens de|tem de|tem que|precisa de|deve) {_INFINITIVE}",
        r"(?:peço-lhe|peço-te|solicito|pedimos) (?:que|o|a) \w+",
    ),
    obligation=(
        rf"(?:alguém) (?:deve|devia|deveria|tem de|tem que|precisa de|precisa) "
        rf"{_INFINITIVE}",
        rf"(?:temos de|temos que|precisamos de|precisamos|devemos|é preciso) "
        rf"{_INFINITIVE}",
        r"(?:a fazer|tarefas?|próximos passos|ações) ?:",
    ),
    assignment=(
        rf"(?:vai|deve|tem de|tem que) {_OBJECT}{_INFINITIVE}",
        r"(?:enviará|preparará|verificará|ligará|trará|confirmará|organizará|escreverá|"
        r"fica responsável|ficará responsável|falará com|envia|prepara|trata d[eoa])",
    ),
    idle=(
        r"(?:pode|podes|poderia) (?:\w+ )?(?:repetir|explicar|dizer|dizer-me|me dizer|"
        r"esclarecer)",
        r"(?:pergunto-me|me pergunto|pergunto se|posso (?:dizer|perguntar)|vou dizer)",
        r"(?:informo|aviso|escrevo) (?:que|para|porque|de que)|faço (?:parte|ideia)",
        r"não (?:é preciso|é necessário|precisa|precisas|tem de|tens de)",
        r"(?:deveria|devia|poderia|podia) ter",
        r"(?:como|porque|por que|quando|onde) (?:posso|podemos|temos|pode|devo)",
    ),
    decision=(
        r"(?:decidimos|combinámos|combinamos|acordámos|acordamos|aprovámos|aprovamos|"
        r"escolhemos|optámos|optamos|ficou decidido|ficou acordado|ficou combinado)",
        r"(?:foi|está|fica) (?:decidido|acordado|combinado|aprovado|aprovada)",
        r"(?:então|bom|certo|pronto),? (?:usamos|mudamos|adiamos|mantemos|ficamos com|"
        r"vamos com|vamos usar|vamos adiar)",
        r"(?:vamos (?:usar|manter|adiar|avançar com)|decisão ?:)",
    ),
    undecided=(
        r"(?:não|ainda não) (?:\w+ )?(?:decidimos|decidido|combinámos|acordado)",
        r"antes de|temos de decidir|precisamos decidir",
    ),
    condition=("se", "quando", "caso", "no caso de"),
    refusal=(
        r"(?:desculpe?,? |lamento,? )?(?:não|infelizmente|impossível)",
        r"já (?:fiz|está feito|tratei)",
    ),
    retraction=(
        r"(?:esquece|esqueça|deixa estar|deixe estar|deixa para lá|deixa pra lá)",
        r"(?:já )?não (?:é|será) (?:mais )?(?:preciso|necessário)",
    ),
    deadline=(
        "até",
        "até ao",
        "até à",
        "até o",
        "antes de",
        "antes do",
        "para",
        "o mais tardar",
    ),
)
