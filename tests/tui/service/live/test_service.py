"""The service over the administrative operations, against servers in memory."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from rmq.remoting.errors import ConnectFailedError
from rmq.tui.service.live.cluster import cluster_view
from rmq.tui.service.live.groups import group_detail, group_figures
from rmq.tui.service.live.service import Known
from rmq.tui.service.live.topics import topic_detail, topic_figures
from rmq.tui.service.model import NameServer, Reader, RouteEntry
from rmq.wire.bodies.broker import HAConnectionRuntimeInfo, HARuntimeInfo, KVTable
from rmq.wire.bodies.connection import Connection, ConsumerConnection
from rmq.wire.bodies.consume import ConsumeStats, GroupList, OffsetWrapper
from rmq.wire.bodies.group import SubscriptionGroupConfig, SubscriptionGroupWrapper
from rmq.wire.bodies.heartbeat import ConsumeType, MessageModel, SubscriptionData
from rmq.wire.bodies.route import MessageQueue, QueueData
from rmq.wire.bodies.running import ConsumerRunningInfo, ProcessQueueInfo
from rmq.wire.bodies.topic import TopicConfig, TopicOffset, TopicStatsTable
from rmq.wire.errors import ConsumerNotOnlineError
from rmq.wire.requests.broker import GetBrokerRuntimeInfo
from rmq.wire.requests.consumer import (
    GetConsumerConnectionList,
    GetConsumerRunningInfo,
    GetConsumeStats,
    QueryTopicConsumeByWho,
)
from rmq.wire.requests.group import GetAllSubscriptionGroupConfig, GetAllSubscriptionGroupReply
from rmq.wire.requests.replication import GetBrokerHaStatus
from rmq.wire.requests.topic import GetTopicConfig, GetTopicStatsInfo
from tests.kit.adminfake import MASTER_A, MASTER_B, NAMESRV, NOW, SLAVE_A, FakeServers, Reply, fake_admin, route

QUEUE_A, QUEUE_B = MessageQueue("T", "broker-a", 0), MessageQueue("T", "broker-b", 0)


def told(servers: FakeServers, ask: Callable[[Known], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        return await ask(Known(fake_admin(servers), lambda: NOW))

    return asyncio.run(run())


def bounds(address: str, header: GetTopicStatsInfo) -> TopicStatsTable:
    queue = QUEUE_A if address == MASTER_A else QUEUE_B
    return TopicStatsTable({queue: TopicOffset(10, 110, NOW - 5)})


def progress(address: str, header: GetConsumeStats) -> ConsumeStats:
    queue = QUEUE_A if address == MASTER_A else QUEUE_B
    return ConsumeStats({queue: OffsetWrapper(110, 100, 105, NOW - 9000)})


def servers() -> FakeServers:
    made = FakeServers(
        {
            GetTopicStatsInfo: bounds,
            GetTopicConfig: lambda address, header: TopicConfig("T", 4, 4, attributes={"message.type": "FIFO"}),
            QueryTopicConsumeByWho: GroupList(["g"]),
            GetConsumeStats: progress,
            GetConsumerConnectionList: ConsumerConnection(
                [Connection("c1", "10.0.0.7:1", "PYTHON", 453)],
                consume_type=ConsumeType.CONSUME_PASSIVELY,
                message_model=MessageModel.CLUSTERING,
            ),
            GetConsumerRunningInfo: ConsumerRunningInfo(
                {"PROP_CONSUMER_START_TIMESTAMP": str(NOW - 1000)},
                [SubscriptionData("T", "*")],
                {QUEUE_A: ProcessQueueInfo(cached_msg_count=3)},
            ),
            GetAllSubscriptionGroupConfig: Reply(
                SubscriptionGroupWrapper({"g": SubscriptionGroupConfig("g")}), GetAllSubscriptionGroupReply(1)
            ),
        }
    )
    made.routes["T"] = route(QueueData("broker-a", 4, 4, 6), QueueData("broker-b", 4, 4, 4))
    made.routes["%RETRY%g"] = route()
    return made


def test_a_topic() -> None:
    detail = told(servers(), lambda known: topic_detail(known, "T"))
    topic = detail.topic
    assert (topic.kind, topic.perm, topic.read_queues, topic.write_queues, topic.brokers) == (
        "FIFO",
        "RW-/R--",
        8,
        8,
        2,
    )
    assert (topic.total, topic.stored, topic.last, topic.groups, topic.lag) == (220, 200, NOW - 5, 1, 20)
    assert detail.route[0] == RouteEntry("broker-a", "C1", MASTER_A, 4, 4, "RW-")
    assert [(queue.broker, queue.queue_id, queue.max_offset) for queue in detail.queues] == [
        ("broker-a", 0, 110),
        ("broker-b", 0, 110),
    ]
    assert detail.readers == (Reader("g", 20, 200, 220),)
    assert {setting.server for setting in detail.config} == {"broker-a", "broker-b"}
    assert detail.problems == ()


def test_a_topic_of_which_one_broker_is_dead() -> None:
    fake = servers()
    fake.down.add(MASTER_B)
    topic = told(fake, lambda known: topic_figures(known, "T"))
    assert topic.problem is not None
    assert (topic.total, topic.lag, topic.problem.where) == (110, None, MASTER_B)
    assert topic.problem.cause == "cannot connect: refused"


def test_a_topic_without_a_route() -> None:
    topic = told(servers(), lambda known: topic_figures(known, "gone"))
    assert topic.problem is not None
    assert (topic.name, topic.problem.code, topic.total) == ("gone", 17, 0)


def test_topics_of_one_group_ask_for_its_progress_once() -> None:
    fake = servers()
    for name in ("T2", "T3"):
        fake.routes[name] = fake.routes["T"]

    async def ask(known: Known) -> None:
        await known.admin.each(["T", "T2", "T3"], lambda name: topic_figures(known, name))

    told(fake, ask)
    assert len(fake.sent(GetConsumeStats)) == 2


def test_a_group() -> None:
    detail = told(servers(), lambda known: group_detail(known, "g"))
    group = detail.group
    assert (group.state, group.kind, group.model, group.clients) == ("online", "push", "clustering", 1)
    assert (group.topics, group.lag, group.produced, group.consumed, group.oldest) == (1, 20, 220, 200, NOW - 9000)
    assert [(queue.broker, queue.lag, queue.owner) for queue in detail.queues] == [
        ("broker-a", 10, "c1"),
        ("broker-b", 10, ""),
    ]
    assert [(c.client_id, c.address, c.language, c.queues, c.cached, c.started) for c in detail.clients] == [
        ("c1", "10.0.0.7:1", "PYTHON", 1, 3, NOW - 1000)
    ]
    assert [(item.topic, item.expression, item.agreed) for item in detail.subscriptions] == [("T", "*", True)]
    assert ("retryMaxTimes", "16") in {(setting.key, setting.value) for setting in detail.config}


def test_a_group_whose_clients_have_gone() -> None:
    fake = servers()
    fake.answers[GetConsumerConnectionList] = ConsumerNotOnlineError("not online")
    group = told(fake, lambda known: group_figures(known, "g"))
    assert (group.state, group.clients, group.lag, group.problem) == ("offline", 0, 20, None)


def test_a_client_that_does_not_answer() -> None:
    fake = servers()
    fake.answers[GetConsumerRunningInfo] = ConnectFailedError(MASTER_A, "refused")
    detail = told(fake, lambda known: group_detail(known, "g"))
    assert [(client.client_id, client.queues) for client in detail.clients] == [("c1", None)]
    assert detail.subscriptions == ()
    assert [str(problem) for problem in detail.problems] == [f"{MASTER_A}: cannot connect: refused"]


def test_the_cluster() -> None:
    fake = servers()
    fake.nameservers = (NAMESRV, "10.0.0.10:9876")
    fake.down |= {SLAVE_A, "10.0.0.10:9876"}
    fake.answers[GetBrokerRuntimeInfo] = KVTable(
        {"msgPutTotalTodayNow": "12", "commitLogDiskRatio": "0.4", "brokerVersionDesc": "V5_4_0", "bootTimestamp": "7"}
    )
    cluster = told(fake, lambda known: cluster_view(known.admin))
    assert [(broker.name, broker.role, broker.put_total, broker.problem is None) for broker in cluster.brokers] == [
        ("broker-a", "master", 12, True),
        ("broker-a", "slave", 0, False),
        ("broker-b", "master", 12, True),
    ]
    assert (cluster.brokers[0].disk, cluster.brokers[0].started) == (0.4, 7)
    assert (cluster.brokers[0].slaves, cluster.brokers[0].slaves_in_sync) == (1, None)
    assert cluster.nameservers[0] == NameServer(NAMESRV, 3)
    assert str(cluster.nameservers[1].problem) == "10.0.0.10:9876: cannot connect: refused"


def test_how_far_slaves_are_is_asked_of_each_master_that_has_any() -> None:
    fake = servers()
    fake.answers[GetBrokerRuntimeInfo] = KVTable({"commitLogMaxOffset": "90"})
    seen = HAConnectionRuntimeInfo("10.0.0.2:5", 90, 10, True, lag_millis=40)
    fake.answers[GetBrokerHaStatus] = HARuntimeInfo(True, 100, 1, [seen])
    master, slave, other = told(fake, lambda known: cluster_view(known.admin)).brokers
    assert (slave.lag, slave.lag_millis, slave.in_sync) == (10, 40, True)
    assert (master.slaves, master.slaves_in_sync, master.lag) == (1, 1, None)
    assert (other.slaves, other.slaves_in_sync) == (0, None)
    assert fake.sent(GetBrokerHaStatus) == [(MASTER_A, GetBrokerHaStatus())]
    fake.answers[GetBrokerHaStatus] = HARuntimeInfo(True, 100)
    master, slave, _ = told(fake, lambda known: cluster_view(known.admin)).brokers
    assert (slave.lag, slave.lag_millis, slave.in_sync, master.slaves_in_sync) == (10, None, False, 0)
