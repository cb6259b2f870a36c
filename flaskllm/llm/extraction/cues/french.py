"""Cues of French."""

from flaskllm.llm.extraction.cues.form import Cues

_DO_INFINITIVE = (
    "ajouter|appeler|apporter|archiver|commander|compléter|confirmer|contacter|"
    "contrôler|corriger|créer|demander|déplacer|distribuer|écrire|envoyer|établir|"
    "faire|finaliser|finir|fixer|fournir|informer|installer|inviter|livrer|mettre|"
    "modifier|nous faire|organiser|partager|payer|planifier|poster|préparer|prendre|"
    "prévenir|prévoir|publier|rappeler|rédiger|régler|relancer|relire|remettre|"
    "remplir|renvoyer|répondre|réserver|retourner|revoir|signer|supprimer|tester|"
    "traduire|traiter|transférer|transmettre|valider|vérifier|voir avec"
)
_DO = (
    "appelle|apporte|commande|complète|confirme|contacte|corrige|demande|envoie|"
    "enverrai|fais|ferai|finis|informe|invite|livre|mets|organise|partage|paie|prends|"
    "prendrai|prépare|préparerai|préviens|publie|rappelle|rappellerai|rédige|relance|"
    "relis|réponds|répondrai|réserve|retourne|termine|teste|traite|transfère|transmets|"
    "transmettrai|valide|vérifie|vérifierai|appellerai|vérifierai"
)
_OBJECT = r"(?:(?:m'|t'|l'|s')|(?:me|te|vous|nous|le|la|les|lui|leur|y|en|se) )*"
_ANY = r"(?:[^\s.;?!]+ ){0,4}"

CUES = Cues(
    commitment=(
        rf"(?:je |j'){_OBJECT}(?:{_DO})",
        rf"je (?:vais|peux|dois|compte|souhaite) {_ANY}{_OBJECT}(?:{_DO_INFINITIVE})",
        r"je m'(?:en )?(?:occupe|occuperai|engage|charge)",
    ),
    request=(
        rf"(?:peux|pourrais|veux)[- ]tu {_ANY}{_OBJECT}(?:{_DO_INFINITIVE})",
        rf"(?:tu peux|tu pourrais|vous pouvez|vous pourriez) {_ANY}{_OBJECT}"
        rf"(?:{_DO_INFINITIVE})",
        rf"(?:pouvez|pourriez|voudriez)[- ]vous {_ANY}{_OBJECT}(?:{_DO_INFINITIVE})",
        rf"(?:merci de|prière de|veuillez|je (?:te|vous) (?:prie|demande) de) "
        rf"(?:bien vouloir )?{_OBJECT}(?:{_DO_INFINITIVE})",
        rf"(?:tu dois|vous devez|il te faut|il vous faut) {_ANY}{_OBJECT}"
        rf"(?:{_DO_INFINITIVE})",
        r"(?:envoyez|envoie|confirmez|vérifiez|préparez|contactez|appelez|rappelez|"
        r"répondez|remplissez|signez|transmettez)-(?:moi|nous|le|la|les)",
    ),
    obligation=(
        r"(?:quelqu'un|il) (?:doit|devra|devrait|faut|faudra|faudrait) (?:que )?"
        rf"{_ANY}{_OBJECT}(?:{_DO_INFINITIVE})",
        rf"(?:on doit|nous devons|il nous faut) {_ANY}{_OBJECT}(?:{_DO_INFINITIVE})",
        r"(?:à faire|actions?|prochaines étapes) ?:",
    ),
    assignment=(
        rf"(?:va|doit|devra) {_OBJECT}(?:{_DO_INFINITIVE})",
        r"(?:enverra|préparera|vérifiera|appellera|contactera|apportera|rédigera|"
        r"organisera|confirmera|se charge|se chargera|s'occupe|s'occupera)",
    ),
    idle=(
        r"(?:pouvez-vous|pourriez-vous|peux-tu|pourrais-tu) (?:\w+ )?(?:répéter|"
        r"expliquer|préciser|m'expliquer|nous expliquer|me dire|nous dire)",
        r"je (?:me demande|vous (?:demande|rappelle) que|demande si|fais partie)",
        r"je (?:peux|dois) (?:dire|avouer|demander)",
        r"(?:pas besoin|inutile|n'(?:as|avez) pas (?:besoin|à))",
        r"(?:aurait|aurais|aurions|aurait-on) (?:pu|dû)",
        r"(?:comment|pourquoi|quand|où) (?:\w+ )?(?:je|nous|on|vous|tu)",
    ),
    decision=(
        r"(?:nous avons|on a|nous avons tous) (?:\w+ )?(?:décidé|convenu|choisi|retenu|"
        r"validé|tranché)",
        r"(?:il a été|c'est|il est) (?:\w+ )?(?:décidé|convenu|acté|entendu)",
        r"(?:nous sommes|on est) (?:\w+ )?(?:convenus|convenu|tombés d'accord|d'accord "
        r"(?:pour|sur))",
        r"(?:donc|alors|bon),? on (?:garde|prend|part sur|reporte|retient|passe à|"
        r"reste)",
        r"(?:gardons|prenons|reportons|retenons|partons sur)",
        r"décision ?:",
    ),
    undecided=(
        r"(?:pas encore|pas|jamais) (?:décidé|convenu|tranché)",
        r"(?:avons-nous|a-t-on) (?:décidé|convenu)",
        r"avant de|il faut (?:décider|choisir)",
    ),
    condition=("si", "s'il", "s'ils", "quand", "lorsque", "au cas où"),
    refusal=(
        r"(?:désolée?,? )?(?:non|impossible|malheureusement)",
        r"(?:désolée?,? )?je (?:ne )?(?:peux|pourrai) pas",
        r"(?:c'est déjà fait|je l'ai déjà fait)",
    ),
    retraction=(
        r"(?:laisse tomber|laissez tomber|oublie ça|oubliez ça|oublie|oubliez)",
        r"(?:ce n'est|c'est) (?:plus|pas) (?:nécessaire|la peine)",
    ),
    deadline=(
        "avant",
        "avant le",
        "d'ici",
        "d'ici à",
        "pour",
        "jusqu'à",
        "au plus tard",
    ),
)
