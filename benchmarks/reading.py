"""How much the bots have read of the reviews, as their database says."""

import statistics
from typing import Any

from sqlalchemy import func, select

from db.engine import Database
from db.models import Prediction

WHOLE = "whole"


def levels_of(run: dict[str, Any]) -> str:
    """How many of a run's reviews were read in whole, and how many to which length."""
    levels = run.get("levels") or {}
    return ", ".join(f"{name} {share:.0%}" for name, share in levels.items()) or "nothing was read"


class Reading:
    """Of the reviews that were answered since `begin`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._last = 0

    async def begin(self) -> None:
        self._last = (await self._rows(select(func.max(Prediction.id))))[0][0] or 0

    async def figures(self) -> dict[str, Any]:
        """The median of the tokens read, and the share of each level: "whole", "512", "256"."""
        chosen = select(Prediction.tokens, Prediction.in_short).where(
            Prediction.id > self._last, Prediction.pooling == "cls"
        )
        rows = await self._rows(chosen)
        if not rows:
            return {}
        names = [str(tokens) if in_short else WHOLE for tokens, in_short in rows]
        kinds = [WHOLE, *sorted({*names} - {WHOLE}, key=int, reverse=True)]
        return {
            "median_tokens": statistics.median(tokens for tokens, _ in rows),
            "in_short": 1 - names.count(WHOLE) / len(names),
            "levels": {name: names.count(name) / len(names) for name in kinds},
        }

    async def _rows(self, chosen: Any) -> list[Any]:
        database = Database(self._url)
        try:
            async with database.read() as session:
                return list(await session.execute(chosen))
        finally:
            await database.close()
