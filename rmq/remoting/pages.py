"""Tables of a broker that come in pages: its topics and its groups.

A page names the version that it is of. When the table has changed since the page before, the broker begins again with
the first one by itself.

Source: TopicConfigManager.subTopicConfigTable, SubscriptionGroupManager.subGroupTable.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, Generic, NamedTuple, TypeVar

from rmq.remoting.calls import Answer
from rmq.wire.bodies.group import SubscriptionGroupWrapper
from rmq.wire.bodies.topic import TopicConfigAndMappingSerializeWrapper
from rmq.wire.declare import Declared, encode_body
from rmq.wire.requests.group import GetAllSubscriptionGroupConfig
from rmq.wire.requests.topic import GetAllTopicConfig

PAGE: Final = 2000
"""Members asked for at a time."""

W = TypeVar("W", TopicConfigAndMappingSerializeWrapper, SubscriptionGroupWrapper)


class PagedTable(NamedTuple, Generic[W]):
    """One such table.

    Attributes:
        request: makes the request for a page: the number of its first member, the version, the most members.
        kind: what a page is.
        tables: what is on a page; the first table is the one whose members are counted.
        total: how many members there are, by a reply's header; None from brokers before 5.3, which know of no pages
            and give everything at once.
    """

    request: Callable[[int, str, int], Declared]
    kind: type[W]
    tables: Callable[[W], tuple[dict[str, Any], ...]]
    total: Callable[[Any], int | None]


TOPICS: Final = PagedTable(
    GetAllTopicConfig,
    TopicConfigAndMappingSerializeWrapper,
    lambda page: (page.topic_config_table, page.topic_queue_mapping_detail_map),
    lambda reply: reply.total_topic_num,
)
GROUPS: Final = PagedTable(
    GetAllSubscriptionGroupConfig,
    SubscriptionGroupWrapper,
    lambda page: (page.subscription_group_table, page.forbidden_table),
    lambda reply: reply.total_group_num,
)


async def read_pages(
    table: PagedTable[W],
    ask: Callable[[Declared], Awaitable[Answer]],
    is_known: Callable[[W], bool] = lambda _: False,
) -> W:
    """All pages of a table as one.

    Args:
        table: which one.
        ask: sends a request to the broker; what it raises ends the reading.
        is_known: whether a page is of a version that need not be read; it is given back as it is.
    """
    found: W | None = None
    while True:
        begun = len(table.tables(found)[0]) if found is not None else 0
        version = found.data_version if found is not None else None
        known = encode_body(version).decode() if version is not None else ""
        answer = await ask(table.request(begun, known, PAGE))
        page = answer.json(table.kind)
        if is_known(page):
            return page
        if found is None or page.data_version != found.data_version:
            # Names of another version may stand on other pages.
            found, begun = page, 0
        else:
            for whole, part in zip(table.tables(found), table.tables(page), strict=True):
                whole.update(part)
        total, count = table.total(answer.header), len(table.tables(found)[0])
        # A page that brings nothing new would be followed by others for ever.
        if total is None or count == begun or count >= total:
            return found
