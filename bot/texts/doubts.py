"""Doubtful ratings in /errors, and what admins say of them."""

from bot.texts.locale import Phrase

TITLE = Phrase("Сомнительные оценки", "Doubtful ratings")
JUDGED_TITLE = Phrase("Решения админов", "Admins' decisions")
NOTHING = Phrase(
    "Сомнительных оценок нет: каждой верит хотя бы одна модель, или на неё уже есть решение.",
    "No doubtful ratings: at least one model believes each, or an admin has decided.",
)
NOTHING_JUDGED = Phrase("Решений пока нет.", "No decisions yet.")
PLACE = Phrase("{number} из {all}", "{number} of {all}")
SUPPORT = Phrase(
    "Обе модели видят другое настроение; такому верят не больше чем на {share}.",
    "Both models see another sentiment; neither believes in this one by more than {share}.",
)
HOW = Phrase(
    "«Верно» — оценка остаётся. «Неверно» — её нет ни в обучении, ни в /stats. Число — настоящая"
    " оценка.",
    "“Right” keeps the rating. “Wrong” takes it out of training and /stats. A number is the true"
    " rating.",
)
IS_RIGHT = Phrase("Решение {date}: оценка {given} верна.", "Decided {date}: {given} is right.")
IS_WRONG = Phrase(
    "Решение {date}: оценка {given} неверна и не учитывается.",
    "Decided {date}: {given} is wrong and does not count.",
)
IS_OTHER = Phrase(
    "Решение {date}: вместо {given} учитывается {rating}.",
    "Decided {date}: {rating} counts instead of {given}.",
)
CHANGED_SINCE = Phrase(
    "⚠️ Потом автор поставил {rating}. Решение остаётся в силе, пока вы его не измените.",
    "⚠️ The author has given {rating} since. The decision stands until you change it.",
)
GROUPS = Phrase(
    "Оценок, с которыми не согласны обе модели: {count}. Дальше они по одной, а сначала то, что"
    " похоже на намеренное:",
    "Ratings that contradict both models: {count}. They follow one by one; first what looks"
    " deliberate:",
)
PERSON = Phrase(
    "<b>{number}. Один человек</b>: {doubtful} из {of:оценки|оценок|оценок} против обеих моделей"
    " (отзывы {reviews})",
    "<b>{number}. One person</b>: {doubtful} of {of:rating|ratings} against both models"
    " (reviews {reviews})",
)
SHARED = Phrase(
    "<b>{number}. Одна фраза у {persons:человека|человек|человек}</b>: «{shared}»,"
    " {doubtful} из {of:оценки|оценок|оценок} с ней против обеих моделей (отзывы {reviews})",
    "<b>{number}. One phrase by {persons:person|people}</b>: “{shared}”,"
    " {doubtful} of {of:rating|ratings} with it against both models (reviews {reviews})",
)
REVIEW = Phrase("№\u00a0{number}", "no.\u00a0{number}")
BUTTON_RIGHT = Phrase("Верно", "Right")
BUTTON_WRONG = Phrase("Неверно", "Wrong")
BUTTON_ALL_WRONG = Phrase("{number}: исключить {count}", "{number}: exclude {count}")
BUTTON_ALL_RIGHT = Phrase("{number}: все верны", "{number}: all right")
BUTTON_TAKE_BACK_LAST = Phrase("↩ Отменить последнее решение", "↩ Take the last decision back")
BUTTON_TAKE_BACK = Phrase("↩ Отменить решение", "↩ Take the decision back")
TOAST_RIGHT = Phrase("Записано: верно.", "Saved: right.")
TOAST_WRONG = Phrase("Записано: неверно, не учитывается.", "Saved: wrong, it does not count.")
TOAST_OTHER = Phrase("Записано: настоящая оценка {rating}.", "Saved: the true rating is {rating}.")
TOAST_ALL_WRONG = Phrase(
    "Исключено: {count:оценка|оценки|оценок}.", "Excluded: {count:rating|ratings}."
)
TOAST_ALL_RIGHT = Phrase(
    "Оставлено: {count:оценка|оценки|оценок}.", "Kept: {count:rating|ratings}."
)
TOAST_TAKEN_BACK = Phrase(
    "Отменено: {count:оценка|оценки|оценок}, всё как было до решения.",
    "Taken back: {count:rating|ratings}, all is as it was before.",
)
TOAST_GONE = Phrase("Этой оценки больше нет: её стёрли.", "This rating was erased.")
TOAST_CHANGED = Phrase(
    "Автор тем временем изменил оценку. Ничего не записано; показываю список заново.",
    "The author has changed the rating meanwhile. Nothing is saved; here is the list anew.",
)
TOAST_JUDGED = Phrase(
    "Об этой оценке тем временем уже решили. Ничего не записано; показываю список заново.",
    "This rating has been decided on meanwhile. Nothing is saved; here is the list anew.",
)
TOAST_OTHER_GROUP = Phrase(
    "Оценок тем временем стало больше или меньше. Ничего не записано; показываю заново.",
    "There are more ratings now, or fewer. Nothing is saved; here they are anew.",
)
TOAST_NOT_STANDING = Phrase(
    "Это решение уже отменено, или его заменило другое.",
    "This decision was taken back already, or replaced by another.",
)
