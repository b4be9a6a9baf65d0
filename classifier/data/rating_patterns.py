"""The forms in which authors of Russian reviews write a rating: a table of patterns, `FORMS`.

A rating is an amount («8», «7 с половиной», «8-9 баллов», «восьмёрка») for which a form matches
what is before it («моя оценка:»), after it («из 10», «/10»), or both. The patterns are for the
plain copy of a text that `plain` makes: lower case, ё as е, one kind of blank, dash, quote and
digit. Every repetition in them is bounded, so that no text makes them slow.
"""

import math
import re
from dataclasses import dataclass

_LOOKALIKES = {
    " ": "\t\v\f\x1c\x1d\x1e\x1f\xa0\u1680\u180e\u202f\u205f\u2060\u3000\ufeff"
    + "".join(map(chr, range(0x2000, 0x200E))),
    "\n": "\r\u2028\u2029",
    "-": "‐‑‒–—―−\x96\x97",  # \x84 to \x97: Windows-1252 that was decoded as Latin-1
    '"': "'`´‘’‚‛“”„‟«»\x84\x91\x92\x93\x94",
    "/": "\\⁄∕",
    "…": "\x85",
    "е": "ёЁ",
    "i": "İ",  # the one letter that lower() makes longer
}
_PLAIN = {char: plain for plain, chars in _LOOKALIKES.items() for char in chars}
_PLAIN |= {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}  # full-width forms
_LOOKALIKE = re.compile("[" + re.escape("".join(_PLAIN)) + "]")


def plain(text: str) -> str:
    """The copy of a text for the patterns; every character keeps its position."""
    return _LOOKALIKE.sub(lambda match: _PLAIN[match[0]], text).lower()


def any_of(words: str) -> str:
    """A pattern for any of the words; * is any ending of up to five letters, _ is a blank."""
    first = "".join(sorted({word[0] for word in words.split()}))  # fails fast at most words
    alternatives = "|".join(words.split()).replace("*", "[а-я]{0,5}").replace("_", "[ ]")
    return rf"\b(?=[{first}])(?:{alternatives})\b"


def compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.VERBOSE)


# --- amounts --------------------------------------------------------------------------------

_NOT_AFTER_DIGITS = r"(?<!\d)(?<!\d[.,/:])"
_NUMBER = r"\d{1,7}(?:[.,]\d{1,3})?(?![.,:]?\d)(?![ ]?%)"
_DIGIT_GRADE = rf"{_NOT_AFTER_DIGITS}(?:10|\d)-?т?к[аиу]\b"  # «10-ка»
_NUMERALS = (
    "ноль нуль ноля нуля два три четыре пять пяти шесть шести семь семи восемь восьми девять"
    " девяти десять десяти сто кол"
    # «один из десяти» is somebody, «лишь две» are things
    " один(?=_балл?) одного(?=_балл?а) две(?=_звезд) двух(?=_из_|_балл) трех(?=_из_|_балл)"
)
_GRADES = (  # as at school
    "единиц* двойк* двоечк* тройк* троечк* четверк* четверочк* пятерк* пятерочк* шестерк*"
    " шестерочк* семерк* семерочк* восьмерк* восьмерочк* девятк* девяточк* десятк* десяточк*"
)
_FIRST_LETTERS = "|".join(sorted({word[:2] for word in (_NUMERALS + " " + _GRADES).split()}))
_NUMERAL = any_of(_NUMERALS)
_GRADE = any_of(_GRADES)
_RESERVED = rf"""[ ]с[ ] (?: {any_of("большим большой небольшим небольшой легкой жирным")}[ ] )?
    {any_of("плюсом минусом плюсиком минусиком натяжкой натягом хвостиком")}"""
_PLUS = rf"(?: [+-]{{1,3}}(?![\w+]) | {_RESERVED} )"
_TO = r"(?: -{1,2} | /(?=[\d.,]{1,3}[ ]из) | ,?[ ](?:или|либо|а[ ]не)[ ] )"
_BALLS = any_of("балл балла баллов баллу баллам баллами бал бала балов балу балами балльчик*")
_OTHER_POINTS = any_of("звезд* очка очков пункта пунктов")
_POINTS = rf"(?:{_BALLS}|{_OTHER_POINTS})"
_STAR = r"(?:[★⭐🌟✪✭✮✯]\ufe0f?)"

AMOUNT = compiled(rf"""
    (?= [\d★⭐🌟✪✭✮✯] | \b(?:{_FIRST_LETTERS}) )  # fails fast, nearly everywhere
    (?: (?P<stars> {_STAR}{{1,10}} [☆✩]{{1,10}} | {_STAR}{{2,10}} )
      | (?P<value> (?P<grade> {_DIGIT_GRADE} | {_GRADE} )
                 | (?P<digits> {_NOT_AFTER_DIGITS}{_NUMBER} ) | {_NUMERAL} )
        (?P<half> [ ]с[ ]половиной\b )?
        (?P<plus> {_PLUS} )?
        (?: {_TO} (?P<upto> {_NUMBER} | {_NUMERAL} ) {_PLUS}? )?
        (?: [ ]{{0,2}} (?: (?P<balls>{_BALLS}) | {_OTHER_POINTS} ) )? )
""")
"""What may be a rating: a row of stars, or a `value`; with `upto` it is a range."""

# --- what comes before an amount ------------------------------------------------------------

VERB = any_of(
    "ставлю ставил ставила ставим ставит ставишь ставят ставить ставьте поставлю поставил"
    " поставила поставили поставить поставим поставит поставят поставлена поставлено поставьте"
    " выставил выставила выставлю выставляю проставил оценю оценил оценила оценить оценит оценят"
    " оцениваю оценивать оценивают оценивается дам даю дал дала дать дают отдаю отдам влеплю"
    " влепить влепил вкатить заслуживает заслужил заслужила достоин достойна достойно тянет"
    " потянет тянул получает получил получила получит получай присуждаю накину добавлю"
)
LABEL = any_of(
    "оценк* оценочк* вердикт* итог* результат мой_рейтинг балл балл?ьной_шкале балл?ьной_системе"
    " десятибалл?ьной_шкале десятибалл?ьной_системе пятибалл?ьной_шкале пятибалл?ьной_системе"
)
EMPHASIS = r"""\b(?: тверд | крепк | честн | заслуженн | уверенн | полновесн | жирн | законн
    | безоговорочн | цел )(?: ая | ую | ой | ое | ые | ый )\b"""
_FILLER = any_of(
    "я бы б за из на в во по от меня мне моя мой мои свои свою наша фильм фильма фильму фильмом"
    " картина картине картины картину лента ленте ленты кино сериал сериалу сериала мультфильму"
    " части первой второй третьей ему ей его ее им это этот этому этой этого эту данн* такой такую"
    " такая такова следующ* общ* личн* итогов* максимальн* минимальн* высш* субъективн* объективн*"
    " оценка оценку оценки балл рейтинг все всего лишь только даже хотя хоть сразу смело точно"
    " вообще максимум минимум примерно где-то около не ни больше меньше выше ниже более менее чем"
    " можно могу может будет равна и же то вот в_целом ставлю поставлю поставил поставила"
)
FILLERS = rf"(?: (?:{_FILLER}|{EMPHASIS}) [ ]{{0,2}}[,:=-]{{0,2}}[ ]{{0,2}} ){{0,6}}"
_PLAYING = any_of("сыгра* отыгра* игра* отработа* справ* удал* выполнен* сделан*")
_PART = any_of(
    "сюжет* сценари* идея идее задумк* актер* игра игре подбор персонаж* геро* режисс*"
    " постановк* операт* съемк* музык* саундтрек* звук* озвучк* график* спецэффект* эффект*"
    " визуал* картинк* зрелищност* юмор* атмосфер* диалог* монтаж* декораци* костюм* любовь"
    " драки впечатлени* оригинальност* динамик* фильму за_фильм фильм_в_целом картине ленте"
    " в_общем общее"
)

_STATED = compiled(rf"""
    (?: {VERB}[ ]{{1,2}} | {LABEL}[ ]{{0,3}}[,:=?(-]{{0,2}}[ ]{{0,3}} ) {FILLERS} "? \Z""")
_LABEL_ABOVE = compiled(rf"{LABEL} [ ]{{0,3}}[:=…-]{{0,2}} \s{{1,6}} \Z")
_COMPARED = compiled(rf"""
    {any_of("больше меньше выше ниже кроме более менее")} [ ](?:чем[ ])? "? \Z""")
_EMPHATIC = compiled(rf'{EMPHASIS}[ ] "? \Z')
_THIS_IS = compiled(r'\bэто[ ] "? \Z')
_ON = compiled(r'\b(?:на|до)[ ](?:все[ ])? "? \Z')
_PLAYED_ON = compiled(rf'{_PLAYING}[ ] (?:[а-я]{{1,12}}[ ]){{0,2}} на[ ](?:все[ ])? "? \Z')
_PART_THEN = compiled(rf"""
    {_PART} [^\n\d:=.!?-]{{0,40}} (?: [:=] | [ )]-{{1,2}} | -(?=[ ]) ) [ ]{{0,2}} \Z""")
_PART_ON_LINE = compiled(rf"(?:\A|\n)[ ]{{0,4}} {_PART} (?:[ ][а-я]{{1,20}}){{0,2}} [ ]\Z")
_LINE_START = compiled(r"(?:\A|\n)[ ]{0,4} \Z")
_SENTENCE_START = compiled(r'(?:\A|\n|[.!?…)][ ]{1,3}) ["(]? \Z')

# --- what follows an amount -----------------------------------------------------------------

_CLOSING = r'(?: \n | \Z | [.,;:!?…)(+] | -(?!\w) | [ ]- | "(?!\w) )'
# What follows a number that is a rating because of a verb or label: «ставлю 8 за», not «8 минут».
_STATED_NEXT = any_of(
    "за и но а или либо только лишь хотя хоть потому так т ибо из по чисто даже с фильму картине"
    " ленте этому этой ему ей как не в на поскольку ради исключительно именно просто без ведь"
    " если чтобы из-за благодаря от для это вместо максимум минимум однозначно поставить да мне я"
    " после при"
)
# «5 из 10 зрителей»: a word in the genitive plural is counted, so this is no rating. Endings
# decide, and a list of common nouns without such an ending.
_COUNTED_ANYHOW = any_of(
    "человек раз лет мест серий минут секунд книг сцен женщин мужчин картин лент комедий историй"
    " солдат партизан грузин татар болгар девчат детей"
)
_NOT_COUNTED = any_of("возможн* максимальн* своей моей твоей всей всех готов таков скорей")
_COUNTED = rf"""(?: [ ]{{1,3}} (?! {_POINTS} | {_NOT_COUNTED} )
    (?: [а-я]{{2,20}}(?:ов|ев|ей|ых|их|шек|чек|ток|вок|нок|ян|иан|ят|ниц)\b
      | {_COUNTED_ANYHOW} ) )"""
_NO_PERSONS = rf"(?! [ ]{any_of('человек* люд* зрител* геро* раз* случа*')} )"

_NO_MORE_DIGITS = r"(?! [.,:/]?\d | [ ]?% | / )"
_SCALE_TAIL = rf"""{_NO_MORE_DIGITS} (?: -?(?:ти|и)\b )? (?!{_COUNTED})
    (?: [ ]{{1,2}}(?:{any_of("возможных максимальных")}|{_POINTS}) ){{0,2}}"""
_SCALE_END = rf"(?= [ ]{{0,3}} (?: {_CLOSING} | {any_of('за но и')} ))"

_OUT_OF = r"(?: из | \b(?:out[ ])?of\b )"
_OUT_OF_TEN = compiled(rf"""
    "? \s{{0,4}}{_OUT_OF}\s{{0,4}} "? (?P<out_of>10|десят(?:и|ки|ка|очки)|ten\b) {_SCALE_TAIL}""")
_ASIDE_OF_TEN = compiled(rf"""
    [ ]{{0,2}} (?: [(\[][ ]? | -[ ] ) {_OUT_OF}[ ]{{1,2}}
    (?P<out_of>10|десяти) {_SCALE_TAIL} (?:[ ]?[)\]])?""")
_ON_SCALE = compiled(rf"""
    [ ]по[ ] (?: (?P<out_of>10|5|100)[ -]?(?:ти|и)?[ -]{{0,2}} | десяти[ -]? | пяти[ -]? | сто )?
    (?: (?:балл?ьн|звездн)(?:ой|ому)\b (?:[ ]{any_of("шкале системе рейтингу")})?
      | {any_of("шкале системе")} [ ](?:от[ ][01][ ])?(?:до|из)[ ](?:10|десяти)\b )""")
_THINGS_OUT_OF_TEN = compiled(rf"""
    {_NO_PERSONS} (?:[ ][а-я]{{2,20}}){{1,4}} [ ]из[ ](?P<out_of>10) {_SCALE_TAIL} {_SCALE_END}""")
_OUT_OF_OTHER = compiled(rf"""
    "? [ ]{{0,4}}{_OUT_OF}[ ]{{0,4}} (?P<out_of>5|пяти|100|ста|1000) {_SCALE_TAIL} {_SCALE_END}""")
_OUT_OF_ANY = compiled(r"[ ]{1,3}из[ ]{1,3}(?P<out_of>\d{1,4})(?=[.!]{0,3}[ ]{0,4}(?:\n|\Z))")
_SLASH_TEN = compiled(rf"[ ]?/[ ]? (?P<out_of>10) (?!-?[а-я]) {_SCALE_TAIL}")
_SLASH_OTHER = compiled(rf"[ ]?/[ ]? (?P<out_of>5|100) (?!-?[а-я]) {_SCALE_TAIL} {_SCALE_END}")
_STAR_SIGNS = compiled(rf"[ ]?{_STAR}{{1,10}}")
# «10 баллов ЕГЭ», «7 баллов по шкале Рихтера», «9 баллов Гриффиндору»
_OTHER_BALLS = rf"""[ ] (?:(?:за|на|по)[ ])? (?:шкале[ ])? {
    any_of("егэ огэ экзамен* зачет* олимпиад* рихтер* бофорт* меркалли гриффиндор* слизерин*")
}"""
_FOR_FILM = compiled(rf"""
    (?! [ ]{any_of("выше ниже больше меньше")} | {_OTHER_BALLS} )""")
_OTHER_SUBJECT = compiled(rf"""
    {any_of("шторм* землетрясени* ветер ветра толчк* толчок магнитуд* егэ огэ экзамен* олимпиад*")}
    [ а-я]{{0,20}} \Z""")
# not «с хвостиком»: «два с хвостиком часа»
_RESERVED_END = compiled(
    "|".join(f"(?<={word})" for word in ["плюсом", "минусом", "плюсиком", "минусиком", "натяжкой"])
)
_STATEMENT_END = compiled(rf'(?= "? [ ]{{0,3}} (?: {_CLOSING} | {_STATED_NEXT} ))')
_VERB_LATER = compiled(rf'(?= "? [ ](?:[а-я]{{1,12}}[ ]){{0,4}}{VERB} )')
_VERB_AFTER_OBJECT = compiled(rf'(?<=у)(?= "? [ ](?:[а-я]{{1,12}}[ ]){{0,2}}{VERB} )')
_LINE_END = compiled(r"(?= [.!]{0,3} [ ]{0,4} (?:\n|\Z) )")
_MEMBER_END = compiled(r"(?= [ ]{0,3} (?: [.,;!-] | \)(?![ ]\w) | \n | \Z ) )")
_TEXT_END = compiled(r'(?= [)"]? [!.…]{0,5} \s{0,8} \Z )')
_BECAUSE = compiled(r"(?= [ ](?:из-)?за\b )")


@dataclass(frozen=True)
class Form:
    """An amount is a rating if `before` matches up to its beginning and `after` from its end.

    What `after` consumes belongs to the rating, and its group `out_of` is the scale. `group` is
    a group that the amount must have, `most` the highest value that it may have. `unless` must not
    match before it.
    """

    after: re.Pattern[str]
    before: re.Pattern[str] | None = None
    group: str = "value"
    most: float = 10.0
    unless: re.Pattern[str] | None = None


FORMS = (
    # «8 из 10», «7-8 из 10-ти», «семь с половиной из десяти», «8 баллов из 10 возможных»
    Form(_OUT_OF_TEN, most=math.inf),
    # «8 (из 10)», «8 - из 10», «8 по 10-балльной шкале», «7 баллов по шкале от 1 до 10»
    Form(_ASIDE_OF_TEN),
    Form(_ON_SCALE, most=100),
    # «4 кислотных плевка из 10.»
    Form(_THINGS_OUT_OF_TEN, group="digits"),
    # «4 из 5», «три звезды из пяти», «100 из 100»; any other scale alone on its line: «3 из 4»
    Form(_OUT_OF_OTHER, most=1000),
    Form(_OUT_OF_ANY, before=_LINE_START, most=1000),
    # «8.5/10», «10 / 10», «4/5», but not the dates 24/10 and 8/10/2010
    Form(_SLASH_TEN, most=11),
    Form(_SLASH_OTHER, group="digits", most=100),
    # «4★»
    Form(_STAR_SIGNS, group="digits"),
    # «8 баллов», «восемь-девять баллов», «один балл», but not «на 2 балла выше», «шторм 9 баллов»
    Form(_FOR_FILM, group="balls", unless=_OTHER_SUBJECT),
    # «семёрка с минусом», «7 с натяжкой»
    Form(_RESERVED_END),
    # «моя оценка: 9», «Итог - 7», «ставлю этому фильму твёрдую восьмёрку»
    Form(_STATEMENT_END, before=_STATED),
    Form(_LINE_END, before=_LABEL_ABOVE),
    # «больше 7 поставить не могу», «десятку ставлю редко»
    Form(_VERB_LATER, before=_COMPARED),
    Form(_VERB_AFTER_OBJECT, group="grade"),
    # «твёрдая семёрка», «честные 8», «это десятка»
    Form(_STATEMENT_END, before=_EMPHATIC),
    Form(_STATEMENT_END, before=_THIS_IS, group="grade"),
    # «на троечку», «на "5-"», «на четыре с плюсом», «сыграл на пять»
    Form(_STATEMENT_END, before=_ON, group="grade"),
    Form(_STATEMENT_END, before=_ON, group="plus"),
    Form(_STATEMENT_END, before=_PLAYED_ON),
    # «Троечка за старания»
    Form(_BECAUSE, before=_SENTENCE_START, group="grade"),
    # «Сюжет: 8, игра актёров - 9», «Сюжет 8» alone on its line
    Form(_MEMBER_END, before=_PART_THEN, group="digits"),
    Form(_LINE_END, before=_PART_ON_LINE, group="digits"),
    # «10!», «8», «Восемь.» as the last sentence or line
    Form(_TEXT_END, before=_SENTENCE_START),
)
