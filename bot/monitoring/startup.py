"""How far a bot is on the way to its first answer: it trains, or it starts, or it got stuck."""

import time
from typing import Literal

Phase = Literal["starting", "training"]

STARTS_WITHIN = 120.0
"""Seconds; a bot that isn't well by then is not just starting."""

SILENCE_OF_TRAINING = 900.0
"""Seconds without a line from the training, which says something every few minutes."""


class Startup:
    """Told by whoever starts the bot, read by whoever asks for its health."""

    def __init__(self) -> None:
        self.enter("starting")

    def enter(self, phase: Phase) -> None:
        self.phase: Phase = phase
        self.trouble: str | None = None  # why nothing goes on at the moment, in a sentence
        self._since = self._last_sign = time.monotonic()

    def sign_of_life(self) -> None:
        """The training said something."""
        self._last_sign = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the phase began."""
        return time.monotonic() - self._since

    @property
    def problem(self) -> str | None:
        """What has got stuck, in a sentence."""
        if self.trouble is not None:
            return self.trouble
        silence = time.monotonic() - self._last_sign
        if self.phase == "training" and silence > SILENCE_OF_TRAINING:
            return f"The training has said nothing for {silence:.0f} seconds."
        if self.phase == "starting" and self.seconds > STARTS_WITHIN:
            return f"The bot has been starting for {self.seconds:.0f} seconds."
        return None
