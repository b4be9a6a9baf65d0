"""What the bot says of the first training: to admins, and to everybody in the local chat."""

from bot.texts.locale import Phrase

BEGUN = Phrase(
    "Обученных моделей пока нет, они учатся: это займёт около {minutes:минуты|минут|минут}.\n"
    "Отзывы можно присылать уже сейчас: отвечу, как только модели будут готовы.",
    "There are no trained models yet. They are being trained, which takes about"
    " {minutes:minute|minutes}.\n"
    "Reviews can be sent now: I will answer as soon as the models are ready.",
)
PREPARING = Phrase("Готовлю отзывы.", "Preparing the reviews.")
PROGRESS = Phrase(
    "Эпоха {epoch} из {epochs}\n{bar} {share} %\nОсталось {left}.",
    "Epoch {epoch} of {epochs}\n{bar} {share}%\nTime left: {left}.",
)
EPOCH = Phrase(
    "{model}, эпоха {epoch}: потери {loss}, точность {accuracy}"
    " (на новых отзывах {new_loss} и {new_accuracy})",
    "{model}, epoch {epoch}: loss {loss}, accuracy {accuracy}"
    " (on new reviews {new_loss} and {new_accuracy})",
)
FAILED = Phrase(
    "⚠️ Модели обучить не удалось.\n<code>{reason}</code>\n"
    "Следующая попытка через {minutes:минуту|минуты|минут}. Отзывы подождут.",
    "⚠️ The models could not be trained.\n<code>{reason}</code>\n"
    "The next try is in {minutes:minute|minutes}. Reviews wait.",
)
OVER = Phrase("Модели обучены.", "The models are trained.")
READY = Phrase("✅ Модели готовы и отвечают.", "✅ The models are ready and answer.")
ON_HOLDOUT = Phrase("На отзывах, которых они не видели:", "On reviews that they have not seen:")
BUSY = Phrase(
    "Модели ещё учатся в первый раз. Переобучать пока нечего.",
    "The models are being trained for the first time. There is nothing to retrain yet.",
)
AGAIN = Phrase("Пробую обучить их ещё раз.", "Training them is tried again.")
NO_VERSIONS = Phrase(
    "Версий пока нет: модели учатся в первый раз.",
    "There are no versions yet: the models are being trained for the first time.",
)
