"""How far all groups together are behind, as far as has been told by what was on the screen anyway."""

from __future__ import annotations

from collections.abc import Collection


class Lags:
    """The lag of each group that was told of.

    Attributes:
        at: when one was told of last, in ms since the epoch.
    """

    def __init__(self) -> None:
        self.at = 0
        self._lags: dict[str, int] = {}
        self._names: Collection[str] | None = None
        self._total = 0

    def told(self, group: str, lag: int, at: int) -> None:
        """A group is so many messages behind."""
        self.at = at
        self._total += lag - self._lags.get(group, 0)
        self._lags[group] = lag

    def groups_are(self, names: Collection[str]) -> None:
        """These are all the groups; others have gone."""
        self._names = frozenset(names)
        for gone in self._lags.keys() - self._names:
            self._total -= self._lags.pop(gone)

    def total(self) -> tuple[int, bool] | None:
        """The sum, and whether it is that of all groups; None when no group has been told of."""
        if not self._lags:
            return None
        return self._total, self._names is not None and len(self._names) == len(self._lags)
