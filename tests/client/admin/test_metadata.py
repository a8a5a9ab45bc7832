"""Tables of brokers, read page by page."""

from typing import Any

import pytest

from rmq.client.admin.metadata import all_groups, all_topics
from rmq.remoting import pages
from rmq.wire.bodies.group import SubscriptionGroupConfig, SubscriptionGroupWrapper
from rmq.wire.bodies.mapping import TopicQueueMappingDetail
from rmq.wire.bodies.topic import TopicConfig, TopicConfigAndMappingSerializeWrapper
from rmq.wire.bodies.version import DataVersion
from rmq.wire.declare import decode_body
from rmq.wire.requests.group import GetAllSubscriptionGroupConfig, GetAllSubscriptionGroupReply
from rmq.wire.requests.topic import GetAllTopicConfig, GetAllTopicConfigReply
from tests.kit.adminfake import MASTER_A, FakeServers, Reply, operate

NAMES = ["a", "b", "c", "d", "e"]


class Paging:
    """A broker's table of five; before the request numbered `changes_at` it becomes another version."""

    def __init__(self, changes_at: int = -1) -> None:
        self.asked: list[tuple[int, int]] = []
        self.version = DataVersion(0, 1, 1)
        self._changes_at = changes_at

    def page(self, known: str, start: int, most: int) -> list[str]:
        if len(self.asked) == self._changes_at:
            self.version = self.version.next(2)
        self.asked.append((start, most))
        if not known or decode_body(DataVersion, known.encode()) != self.version:
            start = 0
        return NAMES[start : start + most]

    def topics(self, address: str, header: GetAllTopicConfig) -> Reply:
        names = self.page(header.data_version or "", header.topic_seq or 0, header.max_topic_num or 0)
        wrapper = TopicConfigAndMappingSerializeWrapper(
            {name: TopicConfig(name) for name in names},
            self.version,
            topic_queue_mapping_detail_map={name: TopicQueueMappingDetail(name) for name in names if name == "e"},
        )
        return Reply(wrapper, GetAllTopicConfigReply(len(NAMES)))

    def groups(self, address: str, header: GetAllSubscriptionGroupConfig) -> Reply:
        names = self.page(header.data_version or "", header.group_seq or 0, header.max_group_num or 0)
        table = {name: SubscriptionGroupConfig(name) for name in names}
        wrapper = SubscriptionGroupWrapper(table, {"b": {"T": 4}} if "b" in names else {}, self.version)
        return Reply(wrapper, GetAllSubscriptionGroupReply(len(NAMES)))


@pytest.fixture(autouse=True)
def two_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE", 2)


def topics(answer: Any) -> TopicConfigAndMappingSerializeWrapper:
    found: TopicConfigAndMappingSerializeWrapper = operate(
        FakeServers({GetAllTopicConfig: answer}), lambda admin: all_topics(admin, MASTER_A)
    )
    return found


def groups(answer: Any) -> SubscriptionGroupWrapper:
    found: SubscriptionGroupWrapper = operate(
        FakeServers({GetAllSubscriptionGroupConfig: answer}), lambda admin: all_groups(admin, MASTER_A)
    )
    return found


def test_topics_come_in_pages() -> None:
    paging = Paging()
    found = topics(paging.topics)
    assert (list(found.topic_config_table), found.data_version) == (NAMES, paging.version)
    assert list(found.topic_queue_mapping_detail_map) == ["e"]
    assert paging.asked == [(0, 2), (2, 2), (4, 2)]


def test_groups_come_in_pages() -> None:
    paging = Paging()
    found = groups(paging.groups)
    assert (list(found.subscription_group_table), found.forbidden_table) == (NAMES, {"b": {"T": 4}})
    assert paging.asked == [(0, 2), (2, 2), (4, 2)]


def test_a_change_in_between_begins_again() -> None:
    paging = Paging(changes_at=1)
    assert list(topics(paging.topics).topic_config_table) == NAMES
    assert paging.asked == [(0, 2), (2, 2), (2, 2), (4, 2)]
    paging = Paging(changes_at=2)
    found = groups(paging.groups)
    assert (list(found.subscription_group_table), found.data_version) == (NAMES, paging.version)


def test_older_brokers_know_no_pages() -> None:
    assert list(topics(TopicConfigAndMappingSerializeWrapper({"a": TopicConfig("a")})).topic_config_table) == ["a"]
    wrapper = SubscriptionGroupWrapper({"a": SubscriptionGroupConfig("a")})
    assert list(groups(wrapper).subscription_group_table) == ["a"]
