"""Tables that come in pages: all of them, of one version, and never asked for without an end."""

from collections.abc import Callable
from typing import Any

import pytest

from rmq.remoting import pages
from rmq.remoting.calls import Answer
from rmq.remoting.pages import GROUPS, TOPICS, read_pages
from rmq.wire.bodies.group import SubscriptionGroupConfig, SubscriptionGroupWrapper
from rmq.wire.bodies.topic import TopicConfig, TopicConfigAndMappingSerializeWrapper
from rmq.wire.bodies.version import DataVersion
from rmq.wire.command import Command
from rmq.wire.declare import encode_body, encode_header
from rmq.wire.requests.group import GetAllSubscriptionGroupConfig, GetAllSubscriptionGroupReply
from rmq.wire.requests.topic import GetAllTopicConfig, GetAllTopicConfigReply
from tests.kit.masters import wait

ONE, TWO = DataVersion(0, 1, 1), DataVersion(0, 2, 2)


class Master:
    """Tells topics, three on a page."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self.version = ONE
        self.total: int | None = len(names)
        self.asked: list[tuple[Any, ...]] = []
        self.before_page: Callable[[int], None] = lambda number: None

    async def ask(self, header: Any) -> Answer:
        assert isinstance(header, GetAllTopicConfig)
        self.before_page(len(self.asked))
        self.asked.append((header.topic_seq, header.data_version, header.max_topic_num))
        begin = header.topic_seq if header.data_version == encode_body(self.version).decode() else 0
        table = {name: TopicConfig(name) for name in self.names[begin or 0 :][:3]}
        page = TopicConfigAndMappingSerializeWrapper(topic_config_table=table, data_version=self.version)
        fields = encode_header(GetAllTopicConfigReply(self.total))
        return Answer(GetAllTopicConfig, Command(0, fields, encode_body(page)), "master")

    def read(self, known: DataVersion | None = None) -> list[str]:
        return list(wait(read_pages(TOPICS, self.ask, lambda page: page.data_version == known)).topic_config_table)


@pytest.fixture(autouse=True)
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE", 3)


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (1, 1), (3, 1), (4, 2), (7, 3)])
def test_all_pages_are_one_table(count: int, requests: int) -> None:
    master = Master(*(f"t{number}" for number in range(count)))
    assert master.read() == master.names
    version = encode_body(ONE).decode()
    assert master.asked == [(3 * number, version if number else "", 3) for number in range(requests)]


def test_what_is_known_is_not_read_on() -> None:
    master = Master("a", "b", "c", "d")
    assert master.read(known=ONE) == ["a", "b", "c"]
    assert len(master.asked) == 1


def test_a_table_that_changes_meanwhile_begins_again() -> None:
    master = Master("a", "b", "c", "d")

    def change(number: int) -> None:
        if number == 1:
            master.names, master.version = ["b", "c", "d", "e"], TWO

    master.before_page = change
    assert master.read() == ["b", "c", "d", "e"]
    assert [begun for begun, _, _ in master.asked] == [0, 3, 3]


@pytest.mark.parametrize(("total", "requests"), [(None, 1), (9, 3)])
def test_the_end_comes_with_the_total_or_with_nothing_new(total: int | None, requests: int) -> None:
    """Brokers before 5.3 tell no total, and everything at once."""
    master = Master("a", "b", "c", "d")
    master.total = total
    assert master.read() == ["a", "b", "c", "d"][: 3 * requests]
    assert len(master.asked) == requests


def test_groups_with_what_they_are_forbidden() -> None:
    parts = [("a", {"a": {"T": 2}}), ("b", {}), ("c", {"c": {"T": 4}})]

    async def ask(header: Any) -> Answer:
        assert isinstance(header, GetAllSubscriptionGroupConfig)
        name, forbidden = parts[header.group_seq or 0]
        page = SubscriptionGroupWrapper({name: SubscriptionGroupConfig(name)}, forbidden, ONE)
        fields = encode_header(GetAllSubscriptionGroupReply(3))
        return Answer(GetAllSubscriptionGroupConfig, Command(0, fields, encode_body(page)), "master")

    found = wait(read_pages(GROUPS, ask))
    assert list(found.subscription_group_table) == ["a", "b", "c"]
    assert found.forbidden_table == {"a": {"T": 2}, "c": {"T": 4}}
