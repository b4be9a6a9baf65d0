"""What admins are told of backups."""

from bot.texts.locale import Phrase

FAILED = Phrase(
    "<b>Копия базы не сделана</b>\n{reason}\nПоследней удавшейся {hours:час|часа|часов}. Бот"
    " работает дальше и попробует снова в следующий раз.",
    "<b>The database could not be backed up</b>\n{reason}\nThe last backup is"
    " {hours:hour|hours} old. The bot goes on, and tries again the next time.",
)
FAILED_WITHOUT_ANY = Phrase(
    "<b>Копия базы не сделана</b>\n{reason}\nНи одной копии пока нет. Бот работает дальше и"
    " попробует снова в следующий раз.",
    "<b>The database could not be backed up</b>\n{reason}\nThere is no backup yet. The bot goes"
    " on, and tries again the next time.",
)
