"""What the bot says to everybody: commands, answers to reviews, problems, toasts, the menu."""

from bot.services.checking import Problem
from bot.texts.locale import Phrase

# --- commands
START = Phrase(
    "Пришлите отзыв о фильме, а две модели скажут, понравился ли он автору, и угадают оценку"
    " от 0 до 10.\n\n"
    "Например: <i>Сюжет предсказуем, зато актёры играют так, что веришь каждому слову.</i>\n\n"
    "Потом нажмите оценку, которую поставили вы: так видно, какая модель угадывает лучше.\n\n"
    "/help — подробнее, /privacy — о ваших данных.",
    "Send a film review in Russian, and two models will tell whether its author liked the film and"
    " guess the rating, 0 to 10.\n\n"
    "For example: <i>Сюжет предсказуем, зато актёры играют так, что веришь каждому слову.</i>\n\n"
    "Then tap the rating you gave yourself: it shows which model guesses better.\n\n"
    "/help – more about me, /privacy – about your data.",
)
HELP = Phrase(
    "<b>Что присылать</b>\n"
    "Отзыв о фильме на русском: текстом, подписью к фото или файлом .txt. Длинный можно, до 20 000"
    " знаков. Исправите сообщение — отвечу ещё раз.\n\n"
    "<b>Что в ответе</b>\n"
    "CLS и Mean — две модели. Они читают одинаково, но по-разному сводят прочитанное к выводу: CLS"
    " — по одному особому знаку в начале, Mean — по среднему всех слов. Процент рядом с настроением"
    " — уверенность модели, «±1» — вероятность, что она ошиблась не больше чем на балл. Кнопка"
    " «Почему?» показывает, какие предложения подняли оценку и какие опустили.\n\n"
    "<b>Команды</b>\n"
    "/history — ваши последние отзывы\n"
    "/export — всё, что о вас хранится, файлом\n"
    "/forget — стереть это всё\n"
    "/privacy — что и зачем хранится\n\n"
    "<b>В группе</b>\n"
    "Ответьте командой /rate на сообщение с отзывом или упомяните меня рядом с текстом.",
    "<b>What to send</b>\n"
    "A film review in Russian: as text, as the caption of a photo or as a .txt file."
    " Long is fine, up to 20,000 characters. Edit your message and I answer again.\n\n"
    "<b>What the answer says</b>\n"
    "CLS and Mean are two models. They read alike but draw their conclusion differently:"
    " CLS from one special token at the beginning, Mean from the average of all words."
    " The percentage beside the sentiment is how sure the model is;"
    " “±1” is the probability that it is off by no more than a point."
    " The button “Why?” shows which sentences raised the rating and which lowered it.\n\n"
    "<b>Commands</b>\n"
    "/history – your last reviews\n"
    "/export – all that is stored about you, as a file\n"
    "/forget – erase all of it\n"
    "/privacy – what is stored, and why\n\n"
    "<b>In a group</b>\n"
    "Reply to a review with /rate, or mention me next to the text.",
)
HELP_GROUP = Phrase(
    "Ответьте командой /rate на сообщение с отзывом о фильме или упомяните меня рядом с"
    " текстом отзыва — и две модели скажут, понравился ли фильм, и угадают оценку."
    " Без этого я в разговор не вмешиваюсь.",
    "Reply to a film review with /rate, or mention me next to the review's text, and two models"
    " will tell whether its author liked the film and guess the rating."
    " Otherwise I stay out of the conversation.",
)
HELLO_GROUP = Phrase(
    "Всем привет! Я угадываю оценку фильма по отзыву. Ответьте на чей-нибудь отзыв командой"
    " /rate — а в остальное время я молчу.",
    "Hello everyone! I guess the rating of a film from a review. Reply to someone's review with"
    " /rate; the rest of the time I am silent.",
)
PRIVACY = Phrase(
    "<b>Что хранится</b>\n"
    "• ваш номер в Telegram, язык, время первого и последнего сообщения — без имени и телефона;\n"
    "• тексты отзывов, которые вы прислали, с номерами сообщений и чата; в группе — текст, который"
    " вы попросили оценить, даже если его написал кто-то другой;\n"
    "• что предсказали модели, ваши оценки и их исправления, просил ли я об оценке, решил ли админ,"
    " что она верна.\n"
    "Остальные сообщения хранятся, только пока я на них отвечаю; потом на три дня остаются номер и"
    " время, без вашего имени и номера. Сообщение, которое я не смог прочесть, хранится три дня."
    "\n\n"
    "<b>Зачем</b>\n"
    "Чтобы ответить вам, сравнить модели и дообучить их на отзывах с вашей оценкой.\n\n"
    "<b>Сколько</b>\n"
    "Пока вы не сотрёте. Стёртое сразу исчезает из базы, а через несколько секунд и из её файлов. В"
    " копии базы на случай поломки оно может остаться до 30 дней (копий не больше {backups})."
    " Обучение,"
    " которое уже идёт, дочитает тексты из памяти; обученные модели стирание не меняет, но в новое"
    " обучение стёртое не попадёт.\n\n"
    "<b>Кто видит</b>\n"
    "Владелец этого бота и его администраторы. Больше никому не передаётся.\n\n"
    "/export — получить всё файлом, /forget — стереть всё.",
    "<b>What is stored</b>\n"
    "• your Telegram number, your language, the time of your first and last message, without"
    " name or phone;\n"
    "• the texts of the reviews you sent, with the numbers of messages and chat; in a group,"
    " the text you asked me to rate, even if somebody else wrote it;\n"
    "• what the models predicted, your ratings and how you changed them, whether I asked for one,"
    " whether an admin found one right or wrong.\n"
    "Other messages are kept only until I have answered them; then their number and time remain"
    " for three days, without your name or number. A message that I could not read is kept for"
    " three days.\n\n"
    "<b>What for</b>\n"
    "To answer you, to compare the models and to train them on reviews that you rated.\n\n"
    "<b>For how long</b>\n"
    "Until you erase it. What is erased leaves the database at once, and its files some seconds"
    " later. It may stay for up to 30 days in a copy of the database kept in case it breaks"
    " (copies: at most {backups}). A training that is running keeps the texts in memory to its"
    " end; models trained already stay as they are, but nothing erased is trained on again.\n\n"
    "<b>Who sees it</b>\n"
    "The owner of this bot and its admins. It is shared with nobody else.\n\n"
    "/export – get all of it in a file, /forget – erase all of it.",
)
HISTORY_TITLE = Phrase("<b>Ваши последние отзывы</b>", "<b>Your last reviews</b>")
HISTORY_EMPTY = Phrase("Отзывов пока нет. Пришлите первый!", "No reviews yet. Send your first one!")
HISTORY_REVIEW = Phrase(
    "<b>{date}</b>\n«{text}»\n{predictions} · {rating}",
    "<b>{date}</b>\n“{text}”\n{predictions} · {rating}",
)
HISTORY_YOUR_RATING = Phrase("вы {rating}", "you {rating}")
HISTORY_NO_RATING = Phrase("вы не оценили", "not rated by you")
EXPORT_CAPTION = Phrase(
    "Всё, что о вас хранится. Стереть это — /forget.",
    "All that is stored about you. To erase it: /forget.",
)
EXPORT_PART = Phrase(
    "Всё, что о вас хранится: часть {number} из {of}. Стереть это — /forget.",
    "All that is stored about you: part {number} of {of}. To erase it: /forget.",
)
EXPORT_LATER = Phrase(
    "Файл вы просили только что. Следующий можно через {minutes:минуту|минуты|минут} после него.",
    "You have just asked for the file. The next one can be had {minutes:minute|minutes} after it.",
)
EXPORT_FAILED = Phrase(
    "Файл не отправляется. Попросите его ещё раз позже: /export.",
    "The file can't be sent. Please ask for it again later: /export.",
)
FORGET_QUESTION = Phrase(
    "Стереть всё, что о вас хранится: отзывы, предсказания и ваши оценки? Вернуть их потом нельзя.",
    "Erase all that is stored about you: reviews, predictions and your ratings?"
    " It can't be brought back.",
)
FORGET_YES = Phrase("Да, стереть всё", "Yes, erase everything")
FORGET_NO = Phrase("Нет, оставить", "No, keep it")
FORGOTTEN = Phrase(
    "Стёрто: {reviews:отзыв|отзыва|отзывов}, {ratings:оценка|оценки|оценок} и всё остальное."
    " Больше о вас ничего не хранится.",
    "Erased: {reviews:review|reviews}, {ratings:rating|ratings} and all the rest."
    " Nothing about you is stored now.",
)
FORGOTTEN_NOTHING = Phrase(
    "О вас ничего не хранится, стирать нечего.",
    "Nothing is stored about you, so there is nothing to erase.",
)
KEPT = Phrase("Ничего не стёрто.", "Nothing was erased.")
RATE_EXPLAINED = Phrase(
    "Ответьте командой /rate на сообщение с отзывом о фильме или напишите отзыв сразу после"
    " команды — и я скажу, что думают о нём модели.",
    "Reply to a film review with /rate, or write the review right after the command, and I will"
    " tell what the models think of it.",
)
RATE_EXPLAINED_PRIVATE = Phrase(
    "Здесь команда не нужна: просто пришлите отзыв.",
    "No command needed here: just send the review.",
)
RATE_ANONYMOUS = Phrase(
    "Не вижу, кто спрашивает: вы пишете от имени группы или канала."
    " Спросите, пожалуйста, от своего имени.",
    "I can't see who is asking: you write in the name of a group or channel."
    " Please ask in your own name.",
)
UNKNOWN_COMMAND = Phrase(
    "Такой команды я не знаю. Что я умею — в /help.",
    "I don't know this command. What I can do is in /help.",
)
PRIVATE_ONLY = Phrase(
    "Это личное, отвечу только в личных сообщениях. Напишите мне туда.",
    "This is personal, so I answer it in a private chat only. Write to me there.",
)

# --- the answer to a review
RATING_LINE = Phrase(
    "{stars}  <b>{rating}</b> из 10 (±1: {share})",
    "{stars}  <b>{rating}</b> of 10 (±1: {share})",
)
AGREE = Phrase("Модели согласны.", "The models agree.")
SENTIMENTS_DIFFER = Phrase(
    "Модели расходятся: CLS — {cls}, Mean — {mean}.",
    "The models disagree: CLS says {cls}, Mean says {mean}.",
)
RATINGS_DIFFER = Phrase(
    "Настроение модели видят одинаково, а оценку по-разному: {cls} и {mean}.",
    "The models agree on the sentiment but not on the rating: {cls} and {mean}.",
)
IN_SHORT = Phrase(
    "Отзывов пришло много сразу, поэтому этот модели прочли не целиком.",
    "Many reviews came at once, so the models did not read all of this one.",
)
ASK_RATING = Phrase("Какую оценку поставили вы?", "Which rating did you give?")
# instead of ASK_RATING, to a random few
PLEASE_RATE = Phrase(
    "🙏 Пожалуйста, поставьте свою оценку: по ней видно, какая модель лучше.",
    "🙏 Please give your own rating: it shows which model is better.",
)
PLEASE_RATE_UNCERTAIN = Phrase(
    "🙏 Модели разошлись во мнении об этом отзыве. Пожалуйста, поставьте свою оценку: на таких они"
    " учатся.",
    "🙏 The models disagree about this one. Please give your own rating: they learn from these.",
)
YOUR_RATING = Phrase("<b>Ваша оценка: {rating}</b>", "<b>Your rating: {rating}</b>")

# --- what is no review, and what to do instead
PROBLEMS = {
    Problem.GARBLED: Phrase(
        "Вместо букв пришли «кракозябры»: текст где-то открыли не в той кодировке."
        " Скопируйте отзыв оттуда, где он читается.",
        "The letters came garbled: the text was opened in the wrong encoding somewhere."
        " Copy the review from where it can be read.",
    ),
    Problem.TOO_SHORT: Phrase(
        "Маловато для отзыва. Напишите хотя бы пару фраз: что понравилось в фильме, что нет?",
        "That is little for a review. Write a sentence or two: what was good, what wasn't?",
    ),
    Problem.ONLY_RATING: Phrase(
        "Это уже готовая оценка, а я угадываю её по тексту. Напишите, почему она такая.",
        "That is a rating already, and I guess it from the text. Write why it is so.",
    ),
    Problem.ONLY_LINKS: Phrase(
        "По ссылкам я не хожу. Пришлите, пожалуйста, сам текст отзыва.",
        "I don't follow links. Please send the text of the review itself.",
    ),
    Problem.ONLY_SYMBOLS: Phrase(
        "Понимаю чувства, но не без слов. Расскажите о фильме парой фраз.",
        "I see the feeling, but I need words. Tell me about the film in a phrase or two.",
    ),
    Problem.NOT_RUSSIAN: Phrase(
        "Модели учились на русских отзывах. Пришлите, пожалуйста, отзыв на русском.",
        "The models have learned from Russian reviews. Please send one in Russian.",
    ),
    Problem.TOO_LONG: Phrase(
        "Это длиннее 20 000 знаков, столько модели не осилят. Пришлите отзыв покороче.",
        "This is over 20,000 characters, more than the models can take. Send a shorter one.",
    ),
    Problem.BUSY: Phrase(
        "Сейчас очень много отзывов, и очередь полна. Пришлите этот ещё раз через минуту.",
        "There are very many reviews right now and the queue is full. Send it again in a minute.",
    ),
}
"""What is wrong with a text, and what to send instead."""

DOCUMENT_TOO_LARGE = Phrase(
    "Файл больше 100 КБ. Пришлите, пожалуйста, отзыв покороче.",
    "The file is over 100 KB. Please send a shorter review.",
)
DOCUMENT_UNREADABLE = Phrase(
    "Не получается понять, в какой кодировке этот файл."
    " Сохраните его как UTF-8 или пришлите отзыв сообщением.",
    "I can't tell the encoding of this file. Save it as UTF-8, or send the review as a message.",
)
DOCUMENT_GONE = Phrase(
    "Не получается открыть этот файл: Telegram его не отдаёт. Пришлите его ещё раз или напишите"
    " отзыв сообщением.",
    "I can't open this file: Telegram doesn't hand it out. Send it again, or send the review as a"
    " message.",
)
DOCUMENT_KIND = Phrase(
    "Из файлов я читаю только .txt. Можно прислать отзыв и просто сообщением.",
    "Of files I read only .txt. You can also just send the review as a message.",
)
CHANNEL_POST = Phrase(
    "Записи из каналов я не оцениваю. Если это отзыв, скопируйте его текст и пришлите от себя.",
    "I don't rate posts from channels. If it is a review, copy its text and send it yourself.",
)
PICTURE = Phrase(
    "Картинки я не понимаю. Расскажите о фильме словами — хотя бы парой фраз.",
    "I don't understand pictures. Tell me about the film in words, a sentence or two.",
)
VOICE = Phrase(
    "Слушать и смотреть я не умею. Напишите отзыв текстом, пожалуйста.",
    "I can't listen or watch. Please write the review as text.",
)
STICKER = Phrase(
    "Симпатично! Но оценить могу только слова. Расскажите о фильме парой фраз.",
    "Nice one! But I can only rate words. Tell me about the film in a sentence or two.",
)
OTHER_KIND = Phrase(
    "С этим я ничего сделать не могу. Пришлите отзыв о фильме текстом.",
    "I can't do anything with this. Send a film review as text.",
)
EDITED_IN_PARTS = Phrase(
    "Этот отзыв пришёл несколькими сообщениями, а исправлено одно."
    " Пришлите исправленный отзыв целиком — отвечу на него заново.",
    "This review came in several messages, and one of them was edited."
    " Send the edited review as a whole, and I will answer it anew.",
)

# --- too much, too soon, and trouble
NO_MODELS = Phrase(
    "Модели ещё учатся. Отвечу, как только будут готовы.",
    "The models are still being trained. I will answer as soon as they are ready.",
)
TOO_MANY = Phrase(
    "Не успеваю: больше чем на {messages:сообщение|сообщения|сообщений} в минуту мне не ответить."
    " Сделаем паузу?",
    "I can't keep up: {messages:message|messages} a minute is all I can answer."
    " Shall we pause for a bit?",
)
FAILED = Phrase(
    "Что-то у меня сломалось, простите. Попробуйте ещё раз чуть позже.",
    "Something broke on my side, sorry. Please try again a little later.",
)

# --- toasts
TOAST_RATED = Phrase("Записано: {rating}", "Saved: {rating}")
TOAST_GONE = Phrase(
    "Этого отзыва больше нет: он стёрт.", "This review is no longer there: it was erased."
)
TOAST_NOT_YOURS = Phrase(
    "Здесь оценку ставит тот, кто показал мне отзыв. Пришлите свой!",
    "Only the one who showed me this review rates it. Send your own!",
)
TOAST_OLD_BUTTON = Phrase("Эта кнопка уже не работает.", "This button no longer works.")
TOAST_TOO_MANY = Phrase(
    "Так быстро не успеваю. Последнее нажатие учту через {minutes:минуту|минуты|минут}.",
    "That is too fast for me. Your last tap will count in {minutes:minute|minutes}.",
)
TOAST_ALREADY_FORGOTTEN = Phrase("Уже стёрто.", "Erased already.")

# --- the menus: each command with what it does
PRIVATE_MENU = {
    "start": Phrase("С чего начать", "How to begin"),
    "help": Phrase("Что я умею", "What I can do"),
    "history": Phrase("Мои последние отзывы", "My last reviews"),
    "privacy": Phrase("Что и зачем хранится", "What is stored, and why"),
    "export": Phrase("Получить всё, что обо мне хранится", "Get all that is stored about me"),
    "forget": Phrase("Стереть всё обо мне", "Erase everything about me"),
}
GROUP_MENU = {
    "rate": Phrase("Оценить отзыв, на который отвечаете", "Rate the review you reply to"),
    "help": PRIVATE_MENU["help"],
}
ADMIN_MENU = {
    "stats": Phrase("Как справляются модели", "How the models are doing"),
    "errors": Phrase("Ошибки моделей и сомнительные оценки", "Models' errors, doubtful ratings"),
    "models": Phrase("Версии моделей", "Model versions"),
    "retrain": Phrase("Переобучить на оценках", "Retrain on users' ratings"),
}
