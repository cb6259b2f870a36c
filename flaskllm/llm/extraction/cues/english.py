"""Cues of English."""

from flaskllm.llm.extraction.cues.form import Cues

_DOES = (
    "add|answer|arrange|ask|assign|attach|book|bring|build|buy|call|change|chase|"
    "check|clean|collect|compile|complete|confirm|contact|coordinate|copy|correct|"
    "create|deliver|deploy|document|draft|email|file|finali[sz]e|find out|finish|fix|"
    "follow up|forward|get back|handle|hire|implement|inform|install|invite|"
    "investigate|join|look after|look at|look into|mail|make sure|merge|migrate|move|"
    "notify|open|order|organi[sz]e|own|pay|phone|pick up|prepare|present|print|"
    "produce|provide|publish|push|put together|reach out|refund|remind|remove|"
    "renew|replace|reply|report|request|reschedule|research|return|review|revise|"
    "ring|run|schedule|send|set up|share|ship|sign|sort out|speak to|speak with|"
    "submit|take care|talk to|test|translate|update|upgrade|upload|verify|write(?! "
    "down)"
)
_SOON = "(?:also |just |then |now |quickly |gladly |definitely |probably |try to )*"
# "You should check it" is advice or talk; with a date it is a task.
_DUE = r"(?=.*\b(?:by|before|until|till)\b)"

CUES = Cues(
    commitment=(
        rf"i(?:'ll| will| shall|'m going to| am going to|'m gonna) {_SOON}(?:{_DOES})",
        rf"(?:let me|i can|i could) {_SOON}(?:{_DOES})",
        rf"i(?:'d| would) be happy to {_SOON}(?:{_DOES})",
        r"i can have (?:\S+ ){1,8}(?:by|before|until|ready|done)",
        r"i(?:'ll| will) take (?:that|this|it) (?:on|over)",
        r"i(?:'ll| will) have (?:\S+ ){1,8}(?:by|before|ready|done)",
        rf"i (?:need|have|promise|plan|intend) to (?:{_DOES})",
    ),
    request=(
        rf"(?:can|could|will|would) (?:you|someone|somebody|anyone) (?:please )?"
        rf"{_SOON}(?:{_DOES}|take|have|do|let)",
        rf"please {_SOON}(?:{_DOES}|let (?:me|us) know|take|keep|have|do)",
        rf"you (?:need|have|ought) to (?:{_DOES}){_DUE}",
        rf"i(?:'d| would)? (?:want|need|like) you to (?:{_DOES})",
        rf"you(?:'ll| will| should| must) {_SOON}(?:{_DOES}){_DUE}",
        rf"(?:would|do) you mind (?:{_DOES})(?:ing)?",
        r"kindly \w+",
    ),
    obligation=(
        r"(?:someone|somebody) (?:should|must|needs to|has to|ought to|will have to)",
        rf"we (?:should|must|need to|have to|ought to|'ll need to) {_SOON}(?:{_DOES})",
        rf"we(?:'ll| will) {_SOON}(?:{_DOES})",
        r"(?:needs|has|have) to be (?:\w+ly )?\w+(?:ed|en|nt|ne|de|id|ought) "
        r"(?:before|until|by (?:\d|end|next|noon|the end|tomorrow|\w+day))",
        r"action(?: item| point)?s? ?:",
        r"(?:to-?do|next steps?) ?:",
    ),
    assignment=(
        rf"(?:will|'ll|is going to|should|must|needs to|has to) {_SOON}(?:{_DOES})",
    ),
    idle=(
        r"i(?:'ll| will) (?:call it|put it|ask you|move on|open (?:it|this) up)",
        r"(?:let me|i can|can i|could i) (?:just )?(?:ask|check|add|answer|finish)",
        r"i (?:can|could) (?:see|hear|tell|say|ask|add|understand|imagine|report)",
        r"(?:can|could|would|will) you (?:please |just |also )*(?:"
        r"add|answer|ask|explain|clarify|do that|have a look|hear|help me understand|"
        r"look at that|remind me|repeat|report|say|see|take us|take me|tell|"
        r"do (?:it|this|that)|have)",
        r"please (?:note|bear|forgive|excuse|go ahead|do not reply|open the floor)",
        r"you (?:should|will|must|'ll) (?:\w+ )?(?:have|find|get|see|hear|receive)",
        r"how (?:will|can|could|should|do|would) (?:i|you|we)",
        r"(?:what|why|when|where|who|which) (?:\w+ )?(?:should|will|can|must) (?:i|"
        r"you|we)",
        r"(?:would|could|might|may|should) have",
        r"i (?:was|were) (?:going|meant|supposed) to",
        r"(?:scrap|forget|ignore) (?:that|it)",
        r"you don't (?:have|need) to|(?:no need|don't need|don't have) to",
        r"need to be able to|try to say|present myself|do the same",
    ),
    decision=(
        r"we(?:'ve| have)? (?:\w+ )?(?:decided|agreed|settled on|resolved|chose|"
        r"chosen)",
        r"(?:it(?:'s| is| was| has been)|that(?:'s| is)) (?:decided|agreed|settled)",
        r"(?:good|great|okay|ok|right|fine|so),? (?:that's )?(?:decided|agreed|"
        r"settled)",
        r"the (?:final )?decision (?:is|was) (?:to|that)",
        r"let's (?:\w+ly )?(?:move|go with|use|keep|take|postpone|push|stick|drop|"
        r"cancel|"
        r"do it|choose|adopt|switch|ship|launch|delay|"
        r"not (?:change|do|go|launch|move|pay|send|ship|spend|start|use))",
        r"we(?:'ll| will|'re going to| are going to) (?:go (?:with|for|ahead)|keep|"
        r"stick|drop|stay|postpone|switch|adopt|proceed|cancel|move (?:the|to))",
        r"(?:has|have) been (?:approved|decided|agreed|rejected|postponed|cancelled)",
        r"we (?:approve|approved|reject|rejected|postponed|cancelled)",
        r"decision ?:",
    ),
    undecided=(
        r"(?:not|never|n't) (?:\w+ )?(?:decided|agreed|settled|decide)",
        r"(?:until|before|when|once|whether|should|could|would|what|how) we(?:'ve|"
        r"'ll)?",
        r"(?:have|had|did) we (?:decided|agreed|settled|decide|agree)",
        r"let's (?:\w+ly )?(?:move on|move to the next|keep (?:going|moving|it short)|"
        r"take (?:a|the next|that|this) (?:\w+ )?(?:question|break|look|step|minute)|"
        r"use (?:the|this) (?:time|minute))",
        r"last time|yesterday|a while ago|back then",
    ),
    condition=("if", "when", "unless", "in case", "suppose", "supposing", "had"),
    refusal=(
        r"(?:sorry,? )?(?:no,? )?i(?:'m afraid i)? (?:can't|cannot|won't|couldn't)",
        r"(?:sorry,? )?(?:no|nope|not me|not this week|not now|i'd rather not)",
        r"(?:that's )?(?:already done|i already did|i did that already)",
    ),
    retraction=(
        r"(?:scrap|forget|ignore|drop|skip) (?:that|it)",
        r"never ?mind",
        r"i take (?:that|it) back",
        r"(?:that's|this is) (?:no longer|not) (?:needed|necessary)",
    ),
    deadline=("by", "until", "till", "before", "no later than", "due", "due on", "for"),
)
