"""Cues of Spanish."""

from flaskllm.llm.extraction.cues.form import Cues

_DO_INFINITIVE = (
    "actualizar|adjuntar|agendar|arreglar|añadir|avisar|buscar|cambiar|comprar|"
    "comprobar|confirmar|contactar|contestar|coordinar|corregir|crear|dar|enviar|"
    "entregar|escribir|facilitar|finalizar|firmar|gestionar|hablar con|hacer|informar|"
    "instalar|invitar|llamar|llevar|mandar|mover|ocupar|organizar|pagar|pasar|pedir|"
    "preguntar|preparar|presentar|probar|programar|publicar|redactar|reenviar|"
    "remitir|reservar|resolver|responder|revisar|rellenar|subir|terminar|traducir|"
    "traer|verificar"
)
_DO = (
    "actualizo|aviso|busco|compruebo|confirmo|contacto|contesto|envío|enviaré|entrego|"
    "escribo|escribiré|haré|informo|informaré|llamo|llamaré|llevo|mando|mandaré|"
    "organizo|paso|pasaré|pido|pediré|preparo|prepararé|pregunto|preguntaré|reservo|"
    "reservaré|respondo|reviso|revisaré|subo|subiré|termino|traigo|traeré|verifico|"
    "verificaré|confirmaré|entregaré|comprobaré"
)
_CLITIC = r"(?:me|te|se|lo|la|los|las|le|les|nos|os)?"
_OBJECT = r"(?:(?:me|te|se|lo|la|los|las|le|les|nos|os) ){0,2}"
_INFINITIVE = rf"(?:{_DO_INFINITIVE}){_CLITIC}{_CLITIC}"
_ANY = r"(?:[^\s.;?!]+ ){0,3}"

CUES = Cues(
    commitment=(
        rf"(?:yo )?(?<!no ){_OBJECT}(?:{_DO})",
        rf"(?:voy a|puedo|tengo que|pienso) {_ANY}{_INFINITIVE}",
        r"me (?:encargo|ocupo|encargaré|ocuparé|comprometo)",
    ),
    request=(
        rf"{_OBJECT}(?:puedes|podrías|puede|podría|pueden|podrían|podéis|podríais) "
        rf"{_ANY}{_INFINITIVE}",
        rf"por favor,? {_ANY}(?:{_INFINITIVE}|envíe|envía|envíame|envíenos|confirma|"
        r"confirme|confírmame|revisa|revise|llama|llame|llámame|manda|mándame|prepara|"
        r"avisa|avísame|responde|contesta)",
        r"(?:envía|envíe|manda|mande|confirma|confirme|revisa|revise|llama|llame|"
        r"prepara|"
        r"prepare|avisa|avise)(?:me|nos|lo|la) ?.{0,60}por favor",
        rf"(?:tienes|tiene|tenéis|tienen) que {_INFINITIVE}",
        r"(?:le|te|les|os) (?:pido|ruego|agradecería) (?:que|\w+)",
    ),
    obligation=(
        rf"(?:alguien|hay que|habrá que|habría que) (?:debe |debería |tiene que )?"
        rf"{_INFINITIVE}",
        rf"(?:tenemos que|debemos|deberíamos) {_INFINITIVE}",
        r"(?:pendientes?|tareas?|próximos pasos|acciones) ?:",
    ),
    assignment=(
        rf"(?:va a|debe|tiene que) {_INFINITIVE}",
        r"(?:enviará|preparará|revisará|llamará|traerá|confirmará|organizará|escribirá|"
        r"se encarga|se encargará|se ocupa|se ocupará|hablará con)",
    ),
    idle=(
        r"(?:puede|puedes|podría|podrías) (?:\w+ )?(?:repetir|explicar|explicarme|"
        r"aclarar|decirme|decirnos|hacer una pregunta)",
        r"(?:te|le|les) (?:aviso|informo|pregunto|escribo) (?:de que|que|si|para|"
        r"porque)",
        r"(?:me pregunto|pregunto si|puedo (?:decir|preguntar)|tengo que (?:decir|"
        r"irme))",
        r"no (?:hace falta|es necesario|tienes que|tiene que)",
        r"(?:debería|podría|habría) haber",
        r"(?:cómo|por qué|cuándo|dónde) (?:puedo|podemos|tenemos|puede)",
    ),
    decision=(
        r"(?:hemos|se ha|han|había) (?:decidido|acordado|aprobado|elegido|optado)",
        r"(?:decidimos|acordamos|aprobamos|quedamos en|nos quedamos con)",
        r"(?:queda|está|quedó) (?:decidido|acordado|aprobado|aprobada)",
        r"(?:entonces|bien|bueno|pues),? (?:usamos|usaremos|movemos|aplazamos|"
        r"mantenemos|vamos con|cogemos)",
        r"(?:vamos a (?:usar|mantener|aplazar|retrasar)|decisión ?:)",
    ),
    undecided=(
        r"(?:no|aún no|todavía no) (?:hemos|se ha) (?:\w+ )?(?:decidido|acordado)",
        r"antes de|hay que decidir|tenemos que decidir",
    ),
    condition=("si", "cuando", "en caso de", "en caso de que"),
    refusal=(
        r"(?:lo siento,? )?(?:no|imposible|lamentablemente|desgraciadamente)",
        r"ya (?:lo hice|está hecho|lo he hecho)",
    ),
    retraction=(
        r"(?:olvídalo|olvídelo|olvida eso|déjalo|déjelo)",
        r"ya no (?:hace falta|es necesario)",
    ),
    deadline=(
        "antes de",
        "antes del",
        "hasta",
        "hasta el",
        "para",
        "para el",
        "a más tardar",
    ),
)
