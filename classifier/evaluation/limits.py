"""What a challenger must keep to before it becomes champion, as numbers and in words.

Apart from the gate, which needs torch: the command line's help states them and needs none.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What a challenger must keep to, with each pooling."""

    macro_f1_margin: float = 0.05
    """On the holdout, the 95 % interval of macro F1, challenger less champion, is above -margin."""
    in_short: int = 256
    """So it is too where both read only so many tokens of each review, as a bot does that is asked
    by many at once; where no review of the holdout is longer, there is nothing to check."""
    recall_fall: float = 0.05
    """No class's recall on the holdout falls by more; a fall of `chance_reviews` is chance."""
    chance_reviews: int = 2
    fewest_rated: int = 30
    fewest_persons: int = 10
    """From so many held-out rated reviews of so many persons on, its accuracy on them is not lower
    than the champion's by more than chance: p above 0.05, or an interval that reaches 0.

    Each person counts alike, and it is persons that are drawn.
    """
    calibrated: float = 0.1
    calibration_rise: float = 0.05
    """Its calibration error on the holdout is at most `calibrated`, or the champion's and this.

    What counts is the lower end of the error's 95 % interval: on few reviews chance alone makes an
    error of 0.1 and above.
    """
    slowness: float = 1.5  # times as long a prediction may take; `unnoticed` more does not count
    unnoticed: float = 0.001  # seconds a review

    def in_words(self) -> str:
        """All of them in one sentence, for a help text."""
        return (
            "It is accepted if, with either pooling, on the holdout the 95 % interval of the "
            f"difference in macro F1 stays above -{self.macro_f1_margin:g}, also where only "
            f"{self.in_short} tokens of a review are read, no class's recall "
            f"falls by more than {self.recall_fall:g} (or {self.chance_reviews} reviews), the "
            f"calibration error's interval begins at most at {self.calibrated:g} (or "
            f"{self.calibration_rise:g} above the champion's error) and a prediction takes at most "
            f"{self.slowness:g} times as long, or {self.unnoticed * 1000:g} ms a review more; and "
            f"if, with {self.fewest_rated} or more reviews of {self.fewest_persons} or more "
            "persons in --holdout, its accuracy on them, each person counting alike, is not lower "
            "by more than chance."
        )


LIMITS = Limits()
