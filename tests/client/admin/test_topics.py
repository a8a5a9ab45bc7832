"""Topics: many at once, and their permission."""

from typing import Any

import pytest

from rmq.client.admin.errors import InvalidPermissionError
from rmq.client.admin.topics import Permitted, change_permission, create_topics
from rmq.wire.bodies.topic import (
    CreateTopicListRequestBody,
    TopicConfig,
    TopicConfigAndMappingSerializeWrapper,
    TopicFilterType,
)
from rmq.wire.errors import TopicNotExistError
from rmq.wire.requests.topic import (
    GetAllTopicConfig,
    GetAllTopicConfigReply,
    GetTopicConfig,
    UpdateAndCreateTopic,
    UpdateAndCreateTopicList,
)
from tests.kit.adminfake import MASTER_A, FakeServers, Reply, operate


def broker_with(*configs: TopicConfig) -> FakeServers:
    wrapper = TopicConfigAndMappingSerializeWrapper({config.topic_name: config for config in configs})
    return FakeServers({GetAllTopicConfig: Reply(wrapper, GetAllTopicConfigReply(len(configs)))})


def lists_sent(servers: FakeServers) -> list[Any]:
    return [body for _, header, body in servers.calls if isinstance(header, UpdateAndCreateTopicList)]


def test_topics_that_are_like_that_already_are_left_out() -> None:
    servers = broker_with(TopicConfig("same", 1, 1), TopicConfig("other", 1, 1))
    wanted = [TopicConfig("same", 1, 1), TopicConfig("other", 2, 1), TopicConfig("new", attributes={"+a": "b"})]
    operate(servers, lambda admin: create_topics(admin, MASTER_A, wanted))
    assert lists_sent(servers) == [CreateTopicListRequestBody(wanted[1:])]


def test_nothing_is_sent_when_nothing_changes() -> None:
    servers = broker_with(TopicConfig("same", 1, 1))
    operate(servers, lambda admin: create_topics(admin, MASTER_A, [TopicConfig("same", 1, 1)]))
    assert lists_sent(servers) == []


def test_only_the_permission_changes() -> None:
    known = TopicConfig("T", 2, 3, 6, TopicFilterType.MULTI_TAG, 1, True, {"message.type": "FIFO"})
    servers = FakeServers({GetTopicConfig: known})
    sent = TopicConfig("T", 2, 3, 4, TopicFilterType.MULTI_TAG, 1, True, {})
    assert operate(servers, lambda admin: change_permission(admin, MASTER_A, "T", 4)) == Permitted(6, sent)
    assert servers.sent(UpdateAndCreateTopic) == [
        (MASTER_A, UpdateAndCreateTopic("T", "TBW102", 2, 3, 4, "MULTI_TAG", 1, True, ""))
    ]


def test_the_same_permission_is_not_sent() -> None:
    servers = FakeServers({GetTopicConfig: TopicConfig("T", perm=4)})
    assert operate(servers, lambda admin: change_permission(admin, MASTER_A, "T", 4)).before == 4
    assert servers.sent(UpdateAndCreateTopic) == []


def test_no_permission_and_no_topic() -> None:
    servers = FakeServers({GetTopicConfig: TopicConfig("T")})
    with pytest.raises(InvalidPermissionError):
        operate(servers, lambda admin: change_permission(admin, MASTER_A, "T", 9))
    servers.answers[GetTopicConfig] = TopicNotExistError("topic[T] not exist")
    with pytest.raises(TopicNotExistError):
        operate(servers, lambda admin: change_permission(admin, MASTER_A, "T", 4))
