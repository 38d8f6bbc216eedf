"""The phrases and the small grammar by which `safety` knows a statement about self-harm. English; data alone.

Everything here speaks of plain text: lower case, words apart by one space, contractions in full ("do not want to"),
`,` `.` `?` as words of their own. No quantifier is unbounded, so that the time is linear in the length of the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# "live in London", "live with her" are of lodging.
_PLACE = (
    r"(?! (?:in (?!this (?:world|pain|body|life|way|hell)|pain|fear|misery)|with (?!this|the|it|myself|pain)"
    r"|at|on|near|there|alone|apart|by|next|anywhere|elsewhere)\b)"
)
# "wake up early" is of sleep.
_UP = r"up(?! (?:late|early|earlier|with|at (?!all)|to (?!this|another)|before|so|tired|feeling|in the middle)\b)"
_LIVE = (
    rf"(?:live{_PLACE}|be alive|exist|wake {_UP}|be here(?= any more| now|$| [.,?])|be on this (?:earth|planet)"
    r"|keep living)"
)
_IF_ONLY = r"(?:wish|wished|wishing|hope|hoped|hoping|pray|prayed|praying|better if|easier if)"
_DEAD = r"(?:dead|gone for good|not alive|not here any more|no longer alive|no longer here|six feet under)"
_WAKE = r"(?:not|never) (?:\w+ ){0,2}wak(?:e|ing) " + _UP
_ACT = (
    r"(?:kill|hang|drown|shoot|stab|poison|harm|hurt|cut|injure|unalive|off|neck|top|overdose|suffocate|strangle"
    r"|killing|hanging|drowning|shooting|stabbing|poisoning|harming|hurting|cutting|injuring|unaliving|topping"
    r"|killed|hanged|hung|drowned|shot|stabbed|poisoned|harmed|injured|scratching|burn|burning|burned|burnt"
    r"|punch|punching|slap|slapping|hit|hitting)"
)
_HOW = (
    r"(?:want(?:ed|ing)? to|feel like|felt like|th(?:ink|inking|ought) (?:about|of)|imagin(?:e|ed|ing)|could(?: just)?"
    r"|going to|tempted to|urges? to|plan(?:ned|ning)? (?:to|on))"
)
_HIGH = r"(?:bridges?|roof|cliff|buildings?|balcony|windows?)"
_FAST = r"(?:trains?|tube|bus|lorry|truck|traffic|cars?)"
_THOUGHT = r"(?:thoughts?|urges?|feelings?|ideas?|images|dreams|fantas(?:y|ies)|voices)"


@dataclass(frozen=True, slots=True)
class Pattern:
    """`own`: the words themselves name the speaker ("myself", "my life"), so no subject has to be found."""

    kind: str
    form: re.Pattern[str]
    own: bool


def _set(words: str) -> frozenset[str]:
    """The words, which stand apart by white space."""
    return frozenset(words.split())


def _patterns(kind: str, own: bool, *forms: str) -> tuple[Pattern, ...]:
    return tuple(Pattern(kind, re.compile(rf"\b(?:{form})\b"), own) for form in forms)


PATTERNS: tuple[Pattern, ...] = (
    *_patterns(
        "wish to be dead", False,
        r"want(?:ed|ing)? to (?:just |\w+ly )?(?:die|be dead)",
        r"want(?:ed|ing)? to (?:disappear|vanish|sleep) (?:forever|for ever|for good)",
        r"want(?:ed|ing)? to (?:go to sleep|fall asleep|sleep) and " + _WAKE,
        r"(?:not|never|no longer) (?:really |even )?(?:want(?:ed|ing)?|wish|deserve|care) to " + _LIVE,
        r"not (?:think|believe|feel like|know if|know whether|sure if|sure whether|sure|sure that) "
        r"i (?:can|want to|wanted to|deserve to|should|could) (?:\w+ ){0,1}" + _LIVE,
        _IF_ONLY + r" (?:that |for )?i (?:\w+ ){0,2}"
        + _DEAD + r"(?! (?:tired|wrong|right|serious|certain|sure))",
        _IF_ONLY + r" (?:that )?i "
        r"(?:(?:could|would|will|just|can|had|simply|soon) ){0,3}(?:die|died)",
        _IF_ONLY + r" (?:that )?i (?:\w+ ){0,4}" + _WAKE,
        r"(?:wish|wished|wishing|hope|better if) (?:that )?i (?:had |would |was |were )?(?:never|not) "
        r"(?:been )?(?:\w+ )?born",
        r"(?:wish|wished|wishing|hope|better if) (?:that )?i (?:did|was|were|do) not "
        r"(?:exist|alive|be alive|here any more)",
        r"(?:rather|prefer to) (?:just )?(?:die|be dead)(?! than (?!live|living|go on|keep|be here|face|wake))",
        r"(?:am|was|were|be|feel|is) (?:just |so much |much )?better off (?:dead|not alive|not here)",
        r"(?:deserve|deserved|need|ought|ready|longing|long|waiting) to (?:just )?(?:die|be dead)",
        r"should (?:just )?(?:die|not be alive|not exist)",
        r"(?:tired|sick|weary) of (?:living" + _PLACE + r"|being alive|existing)",
        r"want(?:ed)? to not (?:live|exist|be alive|be here any more)",
        r"(?:want(?:ed)?|going) to (?:just )?end it(?= tonight| today| now| soon| [.,?]|$)",
        r"(?:might|may) as well (?:just )?(?:die|be dead)",
        r"can ?not (?:\w+ )?(?:go on|carry on|keep) (?:living|any more|existing)",
        r"(?:would not|do not|did not) (?:\w+ )?(?:mind|care) (?:if i (?:\w+ ){0,2}(?:die|died|dead)|dying)",
        r"(?:would not|do not|did not) (?:\w+ )?(?:mind|care) (?:if i |about )?(?:\w+ ){0,2}" + _WAKE,
        r"th(?:ink|inking|ought) (?:a lot |all the time |constantly |\w+ly )?(?:about|of) "
        r"(?:dying|being dead|ending it(?: all)?)",
        r"fantasi[sz](?:e|ed|ing) about (?:dying|death|being dead)",
    ),
    *_patterns(
        "wish to be dead", True,
        r"part of me wants to (?:die|be dead)",
        r"(?:all|what|only thing) i (?:\w+ )?want(?:ed)? is to (?:die|be dead)",
        r"i (?:just )?want(?:ed)? (?:it all|everything|this life) to (?:end|be over)",
        r"(?:better|happier|easier) (?:off )?(?:for \w+ )?(?:without me|if i (?:\w+ ){0,2}"
        r"(?:dead|died|gone|not here|not around|not alive))",
        r"if i (?:\w+ ){0,2}(?:died|dead|gone|killed)(?: \w+){0,2} (?:nobody|no one)",
        r"(?:nobody|no one|not) (?:\w+ ){0,3}(?:miss me|care|notice) if i (?:\w+ ){0,2}(?:died|die|dead|gone|killed)",
        r"(?:no|what is the|not (?:\w+ ){0,3}(?:any|a|the)) (?:\w+ )?(?:point|reason|use) "
        r"(?:\w+ )?(?:in |to |of |for me to |me )?(?:go on |going on |keep |keep on )?"
        r"(?:(?:living|live)" + _PLACE + r"|being alive|be alive|being here|stay alive)",
        r"nothing (?:left )?to live for",
        r"not (?:\w+ ){0,2}anything (?:left )?to live for",
        r"(?:my |this )?life is (?:\w+ )?(?:not|no longer) worth (?:living|it)",
        r"not worth (?:living|being alive)",
        r"let me die",
        r"only way out is (?:to die|death|dying|suicide)",
    ),
    *_patterns(
        "suicidal thoughts", False,
        r"suicidal(?! (?:patients?|people|persons?|callers?|clients?|teen\w{0,5}|friends?|man|woman|characters?)\b)",
        r"(?:commit|committing|committed|attempt|attempted|attempting|consider|considered|considering|contemplate"
        r"|contemplated|contemplating|planning|plan|planned) suicide",
        r"th(?:ink|inking|ought) (?:a lot |\w+ly )?(?:about|of) (?:committing )?suicide",
        _THOUGHT + r" (?:of|about) (?:committing )?(?:suicide|death|dying|being dead|self harm|ending it)",
        r"(?:end|ending|ended) it all",
    ),
    *_patterns(
        "suicide", True,
        r"(?:end|ending|ended|take|taking|took|taken) my (?:own )?life(?! in(?:to)? )",
        r"(?:do|doing|did) (?:away with myself|myself in)",
        r"(?:finish|finishing) myself off",
        r"(?:drink|drinking|starve|starving) myself to death",
        r"my (?:\w+ )?suicide (?:attempt|attempts|note|letter|plan)",
        r"my (?:goodbye|farewell) (?:note|letter|letters|notes)",
    ),
    *_patterns(
        "plans and means", True,
        _ACT + r" myself",
        r"(?:throw|throwing|threw) myself (?:off|under|out|in front|from|into|down)",
        r"(?:slit|slitting|slash|slashing|slashed|cut|cutting) (?:up )?my (?:own )?"
        r"(?:wrists?|arms?|legs?|thighs?|throat|skin|veins)",
        r"gun (?:to|in|against) my (?:own )?(?:head|mouth)",
        r"(?:rope|noose) (?:around|round) my neck",
        r"(?:take|taking|took|swallow|swallowing|swallowed) (?:all (?:of )?(?:my|the|these|those)|a whole bottle of"
        r"|the whole bottle of|a bunch of|too many|a handful of) (?:\w+ )?"
        r"(?:pills|tablets|medication|meds|paracetamol)",
    ),
    *_patterns(
        "plans and means", False,
        r"(?:take|taking|took|taken) an overdose",
        r"overdos(?:e|ed|ing)(?! on (?:chocolate|coffee|caffeine|sugar|sweets|cake|tea|television|news|work))",
        r"(?:wrote|write|writing|written) (?:a|the) (?:suicide|goodbye) (?:note|letter)",
        r"(?:stockpil\w{1,4}|hoard\w{0,4}|sav(?:e|ed|ing) up|collect\w{0,3}) (?:all )?(?:my |the |some |enough )?"
        r"(?:pills|tablets|medication|meds|sleeping pills)",
        _HOW + r" (?:jump(?:ing)?|leap(?:ing)?) (?:off|from|out of) (?:a |the |that |an |my )?(?:\w+ )?" + _HIGH,
        _HOW + r" (?:jump(?:ing)?|step(?:ping)?|walk(?:ing)?|run(?:ning)?) (?:in front of|under|into(?= \w* ?traffic)) "
        r"(?:a |the |that |an |my )?(?:\w+ )?" + _FAST,
        _HOW + r" (?:driv(?:e|ing)|crash(?:ing)?|steer(?:ing)?|swerv(?:e|ing)) (?:my car |the car )?"
        r"(?:into|off|in front of) (?:a |the |an |oncoming )?(?:\w+ )?(?:tree|wall|bridge|cliff"
        r"|road|traffic|lorry|truck)",
    ),
    *_patterns(
        "self-injury", False,
        r"self harm(?:ed|ing|s)?",
        r"(?:been|started|start|begun) cutting(?= again| [.,?]|$)",
        r"self injur(?:e|ed|ing|y)",
    ),
    *_patterns(
        "self-injury", True,
        r"(?:bang|banging|hit|hitting|smash|smashing) my (?:own )?head (?:on|against|into) (?:the|a) wall(?! with)",
        r"hurt(?:ing)? my (?:own )?body on purpose",
    ),
)  # fmt: skip

# -- figures of speech, accidents, denials ------------------------------------------------------------------


def _figure(phrase: str, after: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    return re.compile(rf"\b(?:{phrase})$"), re.compile(rf" (?:{after})\b")


_INJURE = r"(?:cut|cutting|hurt|hurting|burn|burning|burned|burnt|hit|hitting|injured|scratching|stabbed|killing)"
# How a phrase ends, and what right after it makes a figure of it.
FIGURES = (
    _figure(
        r"die|dead|died|dying",
        r"laughing|of (?:\w+ )?(?:embarrassment|laughter|laughing|boredom|happiness|shame|cringe|heat|hunger|old age)"
        r"|(?:my|her|his|the) hair|happy|an? (?:happy|old|rich)|at home (?:when|surrounded|one day)|with dignity",
    ),
    _figure(r"(?:kill|killing|killed) myself", r"laughing"),
    _figure(r"cut(?:ting)? myself", r"some (?:slack|cake|bread)|off|an? (?:slice|piece|break|deal)"),
    _figure(r"(?:hang|hung|burn|burned|burnt|burning|hanging) myself", r"out"),
    _figure(r"shot myself|shoot myself|shooting myself", r"in the foot"),
    _figure(r"(?:top|topping|neck) myself", r"up with|an? (?:beer|drink|pint|coffee)"),
    _figure(r"myself into", r"(?:my|the|this|a) (?:new )?(?:work|project|studies|job|role|hobby)"),
    _figure(r"bridges?|cliff|roof|balcony", r"with an? (?:parachute|bungee)"),
    _figure(
        r".*",
        r"(?:is|was|has|would be|were) (?:\w+ )?(?:never|not|no|out of the question|the last thing)"
        r"|is something i (?:would |have |will )?(?:never|not)|(?:has )?never (?:crossed|entered|occurred)",
    ),
)
# The same, where nothing speaks of intent.
ACCIDENTS = (
    _figure(
        _INJURE + r" (?:myself|my (?:own )?\w+)",
        r"by (?:accident|mistake)|accidentally|at (?:work|the gym|the office|football|training|practice)"
        r"|trying to (?!die)"
        r"|(?:\w+ )?(?:shaving|cooking|chopping|slicing|peeling|gardening|ironing|running|skiing|playing|falling"
        r"|cycling|riding|skating|exercising|stretching|dancing|jogging|hiking|lifting|moving|climbing|opening|carving)"
        r"|on (?:the|a|an|some|my) (?:\w+ )?(?:paper|stove|oven|iron|kettle|glass|can|tin|knife|pan|hob|tap|door|edge"
        r"|table|rose|fence|nail|wire|metal|branch|thorn|ice|stairs|barbecue|thumb|finger|foot|knee|toe|shin)"
        r"|with the (?:door|hammer|iron)|on the head with the",
    ),
    _figure(
        r"killing myself",
        r"to (?:get (?:this|it|that|things|everything)|meet|finish|earn|pay|make (?:it|ends|a|the)|impress|please|work)"
        r"|over (?:this|the) (?:project|report|deadline|exam)",
    ),
)
BY_ACCIDENT = re.compile(r"\b(?:accidentally|by accident|by mistake) (?:i )?(?:\w+ )?$")
INTENT = re.compile(
    r"\b(?:want|wanted|wanting|going to|wish|about|consider\w{0,4}|urges?|plan\w{0,4}|thinking|like|tempted|could|need"
    r"|thoughts?)\b"
)
ON_PURPOSE = re.compile(r" (?:\w+ ){0,6}(?:on purpose|deliberately|intentionally|because i (?:hate|want|deserve))\b")

# -- who and whether ----------------------------------------------------------------------------------------

FIRST = _set("i we me")
OTHERS = _set("he she they you it who him her them someone somebody anyone everyone people nobody")
PERSONS = _set(
    """
    mother mum mom father dad sister brother son daughter wife husband partner friend friends neighbour neighbor
    colleague cousin uncle aunt grandmother grandfather boyfriend girlfriend child kid kids boy girl man woman
    patient patients character teacher actor singer hero guy boss student students teenager teenagers mate
    flatmate
    """
)
# Between a subject and its verb.
FILLERS = _set(
    """
    am is was were be been being have has had having do did would will could should can might may must shall not
    never no longer just really only still always often sometimes even also kind kinda sort of honestly actually
    truly simply literally basically already now then again ever at times constantly so very quite rather pretty
    bit a little much lot more to feel feeling felt feels like keep kept keeps get getting got gets become
    becoming became start started starting begin began go going went used want wanted wanting wish tried try
    trying think thinking thought thoughts about that some any these those such strong dark recurring frequent
    constant active passive severely mildly deeply extremely totally completely absolutely almost probably
    definitely possibly maybe secretly seriously regularly repeatedly frequently currently recently lately daily
    nights days every day night today all the time most considered considering planning planned plan plans
    hoping hope experience experienced experiencing struggle struggled struggling with battling battled attempt
    attempts attempted urge urges by into full lots need made make
    """
)
JOINTS = _set("and but or so because then , while when since as though although until if where plus")
# Where the reach of a negation ends.
NEGATION_ENDS = _set(", . ? and but so because then though although until when while")
NEGATORS = _set("not never no nor neither without denied deny denying denies stopped quit nothing")
# Between a negation and what it denies; any other word ends its reach, so that "can not stop", "not only" report.
TRANSPARENT = _set(
    """
    am is was were be been being have has had having do did does done would will could should can may might must
    ever even really actually at all going to want wanted wanting wish wished wishing plan plans planning
    planned intend intending intention intentions of think thinking thought thoughts about any the a an desire
    desires urge urges need needed try trying tried feel feeling felt feels like consider considered considering
    contemplated contemplating or nor hurt harm kill die dead suicide suicidal self myself dream anything
    something once currently seriously longer go far as whatsoever interest interested in depressed sad anxious
    hopeless feelings ideas active attempt attempted attempting hurting harming killing dying cut cutting end
    take my life own way ready that serious actively deliberately intentionally got ending taking ideation me
    make makes
    """
)
# "I do not think I want to die": the negation of these verbs is meant for what follows.
RAISING = _set(
    """
    think believe feel say saying said suppose imagine mean meaning suggesting suggest claim claiming thinking
    thought
    """
)
# A negated perfect with a short time is news of a recent act: "I have not cut myself for three days".
RECENTLY = re.compile(
    r" (?:for|in|since) (?:\w+ ){0,3}(?:hours?|days?|weeks?|yesterday|night|morning|monday|tuesday|wednesday|thursday"
    r"|friday|saturday|sunday|week)\b"
)
# "I have never wanted to die so much" denies nothing.
MORE_THAN_EVER = re.compile(r" (?:(?:this|so|as) (?:much|badly)|more than)\b")
PERFECT = re.compile(r"\bi have not (?:\w+ ){0,2}$")

# -- questions ----------------------------------------------------------------------------------------------

_NO_JOINT = r"(?: (?!and\b|but\b|so\b|because\b|said\b|told\b)[a-z']+)"
ASKED = re.compile(
    r"\b(?:ask|asks|asked|asking|question|questions|questionnaire|checks?|checked|wants? to know|wanted to know)"
    rf"(?! myself){_NO_JOINT}{{0,4}}? (?:if|whether|about|do|did|have|had|am|was){_NO_JOINT}{{0,6}} ?$"
)
# "Do I want to die?", "why would I want to die?"; but "why do I want to die", "should I", "how would I" report.
INVERTED = re.compile(
    r"(?:(?:^|[.,?] |\b(?:like|say|said|think|so|and|but|well) )(?:do|did|have|had|am|was|would)|\bwhy would) i "
    r"(?:ever |really |even |actually |want to |feel |had |have )*$"
)
AFFIRMED = re.compile(
    r"^(?: [a-z']+| [,.?]){0,7}? (?:(?:yes|yeah|yep|sometimes|maybe|perhaps|not sure|not know|it is true|that is true"
    r"|of course|a lot|every day)\b|(?:said|told (?:him|her|them)|answered) (?:that )?i (?:do|did|have|was|am)\b"
    r"(?! not| never)|i (?:do|did|have)(?= [,.?]|$| and| but))"
)

# -- over and done with -------------------------------------------------------------------------------------

PAST = re.compile(
    r"\b(?:wanted|used to|tried|thought|was|were|had|felt|attempted|took|planned|wished|considered|contemplated"
    r"|committed|ended|overdosed|harmed|hoped)\b"
)
LONG_AGO = re.compile(
    r"\b(?:(?:years?|months|decades|long time) ago|back then|when i was|as a (?:teen\w{0,4}|child|kid|student|young)"
    r"|in my (?:teens|twenties|thirties|youth)|in the past|years back|at school|at university)\b"
)
_WELL = r"(?:well|better|fine|okay|ok|good|great|happy|happier|recovered|stable|safe|healthy|glad|past that|over that)"
_GAP = r"(?:(?!not\b|never\b)[a-z]+ ){0,3}"
_BE = r"(?:i am|i feel|i have been|i do|things are|life is|it is)"
RECOVERED = re.compile(
    rf"\b(?:{_BE} {_GAP}{_WELL} (?:now|today|these days|nowadays|since)|(?:now|today|these days|nowadays) "
    rf"(?:, )?{_BE} {_GAP}{_WELL}|glad (?:that )?(?:i (?:am|did not|survived|failed|lived)|to be (?:alive|here))"
    rf"|i (?:have )?(?:since )?(?:fully |completely |now )?recovered|(?:am|is|are|it|that) (?:\w+ )?behind me"
    rf"|i (?:no longer|do not) (?:feel|think|do) (?:like )?(?:that|this|so)|i no longer want to (?:die|kill|hurt|harm)"
    rf"|(?:thoughts|feelings|days|urges) (?:are|have) (?:\w+ ){{0,2}}(?:gone|over|behind|stopped|passed|left)"
    rf"|not (?:felt|had|thought|wanted|done) (?:\w+ ){{0,4}}since|i (?:got|am) (?:through|past|over) (?:it|that)"
    rf"|i got better)\b"
)
RELAPSED = re.compile(r"\b(?:again|came back|come back|coming back|still|lately|recently|returned|at the moment)\b")
