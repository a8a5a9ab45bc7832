"""One broker: its settings and its clean-up."""

import pytest

from rmq.client.admin.brokers import (
    broker_config,
    clean_expired_queues,
    clean_unused_topics,
    delete_expired_log,
    update_broker_config,
)
from rmq.wire.requests.broker import (
    CleanExpiredConsumeQueue,
    CleanUnusedTopic,
    DeleteExpiredCommitLog,
    GetBrokerConfig,
    GetBrokerConfigReply,
    UpdateBrokerConfig,
)
from tests.kit.adminfake import MASTER_A, FakeServers, Reply, operate


def test_settings_are_read_in_the_brokers_order() -> None:
    servers = FakeServers({GetBrokerConfig: Reply(b"b=1\na=x=y\n", GetBrokerConfigReply("{}"))})
    assert list(operate(servers, lambda admin: broker_config(admin, MASTER_A)).items()) == [("b", "1"), ("a", "x=y")]


def test_settings_are_sent_together() -> None:
    servers = FakeServers()
    operate(servers, lambda admin: update_broker_config(admin, MASTER_A, {"a": "1", "b": "C:\\x"}))
    assert servers.calls == [(MASTER_A, UpdateBrokerConfig(), b"a=1\nb=C:\\\\x\n")]


@pytest.mark.parametrize(
    ("operation", "request_class"),
    [
        (clean_expired_queues, CleanExpiredConsumeQueue),
        (clean_unused_topics, CleanUnusedTopic),
        (delete_expired_log, DeleteExpiredCommitLog),
    ],
)
def test_clean_up(operation: type, request_class: type) -> None:
    servers = FakeServers()
    operate(servers, lambda admin: operation(admin, MASTER_A))
    assert servers.calls == [(MASTER_A, request_class(), b"")]
