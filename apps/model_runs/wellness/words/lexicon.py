"""The words and phrases that the grammar looks for: regular expressions over text in the form of `grammar.plain`.

A phrase stands for the state with its own negation in it ("can't cope", "no energy"): such a "not" negates nothing.
"""

from __future__ import annotations

CONSTRUCTS = ("distress", "stress", "exhaustion", "sleepPropensity", "lowSelfEsteem", "mentalStrain")

TROUBLE = {
    "distress": r"sad(ness)?|unhappy|miserable|misery|depress\w*|hopeless|helpless|lonely|alone|isolated"
    r"|heart ?broken"
    r"|(so|really|very|deeply|feel|feeling) (down|low|lost)|way out|just disappear|in pieces|can't bear|drowning"
    r"|struggling"
    r"|world (collapsed|fell apart)|breaks my heart|hate my life|nobody (cares|calls|understands)"
    r"|don't want to be here"
    r"|devastated|grie(f|ve|ving)|cry|cries|cried|crying|tears|despair|desperate|empty|hollow|numb|suffer\w*|hurts?"
    r"|hurting|pain|upset|awful|dread\w*|scared|afraid|terrified|frightened|trapped|lost all hope|no (hope|point|joy)"
    r"|don't (see any|enjoy)|falling apart|broken|pointless|unbearable|can't go on|dark (place|time)|haunted"
    r"|nightmares?"
    r"|not (okay|ok|happy|doing well)|haven't been happy|giving up|regret|guilt\w*|sorry for what|abandoned"
    r"|breakdown",
    "stress": r"stress\w*|pressure|overwhelm\w*|panic\w*|freak\w* out|anxious|anxiety|nervous\w*|nerves|tense|tension"
    r"|worr(y|ied|ies|ying)|on edge|deadlines?|swamped|wound up|can't (cope|keep up|relax|calm down|breathe"
    r"|sit still)"
    r"|too much( to do| on my plate| going on)?|workload|rush(ed|ing)|juggling|piling up|breaking point|snap|explode"
    r"|frantic|agitated|irritable|heart is racing|not coping|beside myself|behind (on|with)|no time",
    "exhaustion": r"exhaust\w*|drained?|draining|burn(t|ed|ing)? ?out|burnout|worn (out|down)|wip(ed|ing) (me )?out"
    r"|wear\w* (me )?out|fatigued?|no (energy|strength)|lack energy|nothing (left|more) to give|nothing left|spent"
    r"|depleted|shattered|knackered|run down|running on (empty|fumes)|overworked|weary|collapse|effort|used up|weak"
    r"|so tired of everything|tired|drag myself|last legs|dead on my feet|zero energy|don't have the (energy"
    r"|strength)",
    "sleepPropensity": r"sleepy|sleepless|insomnia|drowsy|groggy|yawn\w*|nod(ded|ding|s)? off|doz(ed?|es|ing) off"
    r"|nap|naps"
    r"|asleep|(can't|couldn't|didn't|haven't|don't|not|hardly|barely|never) (\w+ )?(sleep|slept|sleeping)"
    r"|sleep depriv\w*"
    r"|tired|eyes (open|are heavy|keep closing|are burning)|awake|(need|want|to|of|enough|any) sleep"
    r"|slept (terribly|badly)"
    r"|slept poorly|sleep badly|up (all night|since|until)|wake up|woke up|overslept|trouble sleeping|overtired"
    r"|go to bed",
    "lowSelfEsteem": r"worthless|useless|failure|loser|pathetic|inadequate|inferior|ugly|stupid|idiot|burden|fraud"
    r"|impostor"
    r"|ashamed|(hate|hates|despise|dislike|doubt|doubts) (myself|himself|herself|themselves|my body|who i am)"
    r"|unlovable"
    r"|not (good|smart|pretty|talented)( enough)?|never be good enough|don't (deserve|matter|like myself"
    r"|believe in myself)"
    r"|no (self )?(confidence|esteem|worth)|low self esteem|self esteem|disappointment|insecure|my fault"
    r"|mess everything up"
    r"|can't do anything|waste of space|weak link|invisible|feel small|nothing to (offer|be proud of)|trust myself"
    r"|second guess \w+|apologise for existing|(would|who) ever (love|hire|want)|black sheep|come up short"
    r"|insignificant|disgust\w*|embarrassed|compar\w+ (myself|herself|himself)"
    r"|nobody"
    r"|lack confidence|let(ting)? (everyone|people) down|puts? (myself|herself|himself) down",
    "mentalStrain": r"(can't|couldn't|hard to|trouble|problems?|difficulty) (\w+ )?(concentrat\w+|focus\w*|think\w*"
    r"|decid\w+)"
    r"|brain fog|fogg?y?|fried|overload\w*|(keep|keeps|kept|always) forgetting|forgetful|overthink\w*|overanaly\w+"
    r"|distract\w*|scatter\w*"
    r"|confus\w*"
    r"|(mind|thoughts?|brain|head) (is |are |feels? |keeps? |goes )?(racing|blank|full|spinning|foggy|mush"
    r"|wandering|fried)"
    r"|los(e|es|ing|t) (my|his|the) (train of thought|thread|focus)|los(e|es|ing|t) track|on my mind|zone out"
    r"|strain\w*"
    r"|no focus|mush|thinking (clearly|straight)|finish (a|one) (thought|task|sentence)|take anything in|keep track"
    r"|mental load"
    r"|(can't|don't) take (anything )?in|too much in my head|forget (names|words|things|everything|why|what)"
    r"|mistakes|concentration is gone|ruminat\w*|can't (make|decide|remember|take in|process|switch)"
    r"|muddled",
}  # fmt: skip

GOOD = (
    r"happy|calm|relax\w*|rested|fine|great|good|well|better|content|proud|confident|energy|fresh|hopeful|peace"
    r"|strong"
    r"|can (concentrate|focus|think|sleep|relax|cope|manage)|wide awake|clear|okay|ok|love|enjoy\w*|glad|pleased"
    r"|lucky|luckily|helped|easy"
)
# Negations that deny nothing of what follows, or that strengthen it ("never been so tired").
NO_DENIAL = (
    r"not only|not just|(can't|cannot|couldn't) (?!say|complain)|(don't|didn't) (know|understand|care|want)"
    r"|not sure|why not"
    r"|never been under|never (been|felt) (so|this|more|as)|no idea|no matter (what|how)|no wonder|if not"
    r"|not (coping|managing|able|getting)"
)
DENIAL = (
    r"not|never|no|neither|nor|hardly|nothing|nobody|anything but|no longer|stopped|isn't|aren't|wasn't|weren't"
    r"|don't|doesn't|didn't|haven't|hasn't|hadn't|won't|wouldn't|ain't|free of|free from"
)
CLAUSE_END = r"[,;:]|but|because|although|though|so that|and (i|i'm|we|he|she|they|it)|since|when|while|until"

RECOVERED = (
    r"used to (?!it|the|this|my)|no longer|(is|are|has|have|it's|that's) (all )?(gone|passed|cured|over"
    r"|lifted)( now)?$|behind me"
    r"|got over|get over it|over it now|recovered from|have recovered|over(came|come) my|came out of|got through"
    r"|moved on from"
    r"|stopped \w+ing|learned to|learnt to|started to (accept|love)|(strength|energy|confidence) (is )?back"
    r"|back to normal|has lifted"
    r"|(can (focus|concentrate|think)|happy|fine|well|calm|clear|better|strong|relax|breathe) again|under control now"
    r"|caught up on sleep|helped$|finally (slept|proud|happy|calm)|not (any ?more|now)$|(is|are) (over|done) and"
    r"|(was|were|felt|had|couldn't|didn't|wasn't|hard|awful)\b.*\b(but|now|then|today|luckily)\b.*"
    r"\b(now|fine|better|well|good|great|over|behind|passed|calm|happy|strong|rested|awake|confident|fresh|again"
    r"|helped|do)"
)
STILL = r"now (i'm|i am|i) (\w+ )?({trouble})|(is|are) back (again)?$"

IDIOM = (
    r"d(ying|ie) (for|to (see|know|hear|try|meet))|(crying|cried|tears|cry) (with|of|from) (laughter|laughing|joy)"
    r"|so funny|ha ?ha|lol"
    r"|crying shame|sad (excuse|songs?|film|movie|that the (series|show|game))|had me (in tears|crying)|pain(killer"
    r"| in the neck)"
    r"|i'm afraid (we|the|that|i can't|it's|there)|heartbreak hotel|(stock )?market|blood pressure|tyre pressure"
    r"|pressure cooker"
    r"|high pressure|(low|no) pressure|under pressure is|song|title|film|movie|no worries|don't (panic|worry"
    r"|stress it)"
    r"|stress (the|that|how|is on|on the)|under (stress|tension) and|syllable|anxious to|nervous to meet|crazy about"
    r"|exhausted (all|every|the|our)|exhaust (pipe|fumes)|supplies|not exhaustive|tired (old|of (this|that|winter"
    r"|the (song|ad)))"
    r"|spent (the|all my|my|a|an|some)|drained the|burned out (overnight|by)|light bulb|battery|charger|candle|toast"
    r"|(leg|foot|arm|hand) (fell asleep|has gone|is asleep)|sleep(ing)? (on it|bag|dogs|mode|sofa)|to sleep mode"
    r"|sleepover|sleepy (little )?(town|village|hollow)"
    r"|los(e|ing) (any )?sleep over|in my sleep|sleeper|don't sleep on|useless (at|without)|my (bad|fault,)"
    r"|confidence in (this|the)|vote of"
    r"|(nerd|foodie|sucker) (about|for)|ugly (duckling|sweater)|worth it$|out of focus|focus on the|fried (eggs"
    r"|rice)|never mind"
    r"|slipped my mind|forget it|fog (on|was)|fog this|mind was blown|muscle|strained the|lost track of the"
    r"|horse racing|server|engine"
)
# A thing that is subject of a sentence without "I" is not a person in trouble.
THINGS = (
    r"battery|phone|printer|camera|lens|computer|laptop|engine|car|bus|train|bridge|cable|beam|tyre|song|film|book"
    r"|series|app|umbrella"
    r"|coupon|ticket|cheque|pasta|toast|sauce|fire|candle|sink|drain|shoes|jeans|server|lift|house|hotel|network"
    r"|password|list|supplies"
    r"|weather|market|fog|race|match|decision|minister|remote|power|hard drive|juice|course|gauge"
)
PERSONS = (
    r"mother|mum|mom|father|dad|parents|sister|brother|son|daughter|kids?|child|children|baby|wife|husband|partner"
    r"|aunt|uncle|cousin"
    r"|grand(mother|father|ma|pa)|niece|nephew|friends?|neighbours?|neighbors?|boss|colleagues?|roommate|flatmate"
    r"|teachers?|students?"
    r"|pupils?|nurses?|doctors?|patients?|clients?|runners?|players?|driver|widow|(little )?(girl|boy)s?|man|men"
    r"|woman|women|people"
    r"|guy|ex|team|witness|speaker|passengers?|hero|customers?|president|company|politicians?|teenagers?|workers"
    r"|carers|parents|cat"
    r"|dog|puppy|horse|boyfriend|girlfriend|landlord|manager|coworkers?"
)
# "My head", "my nerves": a part of the speaker speaks for the speaker.
OWN_PARTS = (
    r"head|mind|brain|heart|body|thoughts?|chest|stomach|hands?|eyes|energy|strength|nerves|shoulders|life|world"
    r"|memory|anxiety"
    r"|depression|insomnia|sleep|self|confidence|concentration|batteries|job|work|muscles|soul|mood|exams?|finals"
    r"|back"
)
