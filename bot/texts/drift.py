"""What admins are told when the reviews change, in Russian and in English."""

from dataclasses import dataclass

from bot.texts.ru import typeset


@dataclass(frozen=True)
class DriftTexts:
    title: str
    begin: str  # {reviews}
    length: str  # {then} {now}
    unknown: str  # {then} {now}
    sentiment: str  # {model} {shares}
    share: str  # {face} {then} {now}
    confidence: str  # {model} {then} {now}
    end: str
    decimal_point: str


RUSSIAN_DRIFT = typeset(
    DriftTexts(
        title="<b>Отзывы изменились</b>",
        begin="Что за неделю присылали ({reviews}), не похоже на то, на чём модели учились:",
        length="длина: в среднем {then} → {now} знаков",
        unknown="незнакомые слова и знаки: {then} → {now} %",
        sentiment="ответы {model}: {shares}",
        share="{face} {then} → {now} %",
        confidence="уверенность {model}: в среднем {then} → {now} %",
        end=(
            "Модели сейчас могут ошибаться чаще: /stats и /errors покажут, а /retrain переобучит"
            " их на новых оценках. Об этом я больше не напишу, пока отзывы не станут прежними"
            " или модели — другими."
        ),
        decimal_point=",",
    )
)

ENGLISH_DRIFT = DriftTexts(
    title="<b>The reviews have changed</b>",
    begin="What came this week ({reviews}) is unlike what the models have learned from:",
    length="length: {then} → {now} characters on average",
    unknown="unknown words and characters: {then} → {now}%",
    sentiment="answers of {model}: {shares}",
    share="{face} {then} → {now}%",
    confidence="confidence of {model}: {then} → {now}% on average",
    end=(
        "The models may be wrong more often now: /stats and /errors will show it, and /retrain"
        " trains them again with the new ratings. I won't write about this again until the reviews"
        " are as they were, or the models are others."
    ),
    decimal_point=".",
)


def drift_texts_for(language_code: str | None) -> DriftTexts:
    """English for someone whose Telegram speaks English, Russian for everyone else."""
    return ENGLISH_DRIFT if (language_code or "").lower().startswith("en") else RUSSIAN_DRIFT
