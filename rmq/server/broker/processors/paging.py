"""Large tables leave in pages that belong together.

A caller names the version of the table that its pages so far are of; when the table has changed since, it gets the
first page again, because names may have moved between pages.

Source: TopicConfigManager.subTopicConfigTable, SubscriptionGroupManager.subGroupTable.
"""

from __future__ import annotations

from typing import Final

from rmq.wire.bodies.version import DataVersion
from rmq.wire.declare import decode_body

LARGEST_PAGE: Final = 2000
"""Most names of one page (BrokerConfig.splitMetadataSize)."""


def page_of(
    names: list[str], version: DataVersion, known_version: str | None, start: int | None, most: int | None
) -> list[str]:
    """The names of one page; all names for a caller that knows nothing of pages.

    Args:
        names: all names, sorted.
        version: of the table.
        known_version: of the caller's pages so far, as JSON; empty when it has none.
        start: index of the page's first name.
        most: how many names the caller wants.

    Raises:
        InvalidFieldError: the known version is no version.
    """
    if known_version is None and start is None and most is None:
        return names
    if not known_version or not known_version.strip() or decode_body(DataVersion, known_version.encode()) != version:
        start = 0
    begin = max(start or 0, 0)
    return names[begin : begin + max(min(LARGEST_PAGE if most is None else most, LARGEST_PAGE), 0)]
