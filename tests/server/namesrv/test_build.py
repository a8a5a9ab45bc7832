"""A whole name server in memory: every request, as bytes come and go."""

import zlib
from collections.abc import Callable

import pytest
from twisted.internet.testing import MemoryReactorClock

from rmq.server.namesrv.build import NameServer
from rmq.settings.load import load_namesrv
from rmq.wire.bodies.registration import RegisterBrokerBody, encode_registration
from rmq.wire.bodies.route import QueueData, TopicRouteData
from rmq.wire.bodies.topic import TopicConfig, TopicConfigAndMappingSerializeWrapper, TopicConfigSerializeWrapper
from rmq.wire.bodies.version import DataVersion
from rmq.wire.command import Command
from rmq.wire.declare import encode_body
from rmq.wire.requests.kv import DeleteKVConfig, GetKVConfig, GetKVListByNamespace, PutKVConfig
from rmq.wire.requests.namesrv import (
    AddWritePermOfBroker,
    DeleteTopicInNamesrv,
    GetAllTopicListFromNameserver,
    GetHasUnitSubTopicList,
    GetHasUnitSubUnunitTopicList,
    GetNamesrvConfig,
    GetSystemTopicListFromNs,
    GetTopicsByCluster,
    GetUnitTopicList,
    RegisterTopicInNamesrv,
    UpdateNamesrvConfig,
    WipeWritePermOfBroker,
)
from rmq.wire.requests.registration import (
    BrokerHeartbeat,
    GetBrokerMemberGroup,
    QueryDataVersion,
    RegisterBroker,
    UnregisterBroker,
)
from rmq.wire.requests.route import GetBrokerClusterInfo, GetRouteInfoByTopic
from tests.kit.memory_files import MemoryFiles
from tests.kit.peer import MemoryPeer

VERSION = DataVersion(0, 1, 7)
WRAPPER = TopicConfigAndMappingSerializeWrapper(
    {"T1": TopicConfig("T1", 4, 4, 6), "T2": TopicConfig("T2", 8, 8, 6)}, VERSION
)
PLAIN = encode_registration(RegisterBrokerBody(WRAPPER), compressed=False)
COMPRESSED = encode_registration(RegisterBrokerBody(WRAPPER), compressed=True)
OLD = encode_body(TopicConfigSerializeWrapper(WRAPPER.topic_config_table, VERSION))
ROUTE_BARE = (
    b'{"brokerDatas":[{"brokerAddrs":{0:"h:1"},"brokerName":"a","cluster":"C","enableActingMaster":false}],'
    b'"filterServerTable":{},'
    b'"queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]}'
)
ROUTE_STRICT = ROUTE_BARE.replace(b'{0:"h:1"}', b'{"0":"h:1"}')


class Running:
    """A started name server and how to become its peer."""

    def __init__(self, text: str = "") -> None:
        self.files = MemoryFiles()
        self.reactor = MemoryReactorClock()
        settings = load_namesrv(f"kvConfigPath=kv.json\nconfigStorePath=ns.properties\n{text}").settings
        self.server = NameServer(self.reactor, settings, self.files)
        self.server.start()
        self.peer = self.connect()

    def connect(self) -> MemoryPeer:
        return MemoryPeer(self.server.dispatcher, self.reactor)

    def register(
        self,
        body: bytes = PLAIN,
        *,
        peer: MemoryPeer | None = None,
        version: int = 493,
        broker_id: int = 0,
        address: str = "h:1",
        **rest: object,
    ) -> Command:
        header = RegisterBroker("a", address, "C", f"ha-{address}", broker_id, **rest)
        return (peer or self.peer).ask(header, body, version=version)

    def route(
        self, topic: str = "T1", *, version: int = 493, standard: bool | None = None, ext: dict[str, str] | None = None
    ) -> Command:
        return self.peer.ask(GetRouteInfoByTopic(topic, standard), version=version, ext=ext)


@pytest.fixture
def running() -> Running:
    return Running()


Start = Callable[[str], Running]


@pytest.mark.parametrize(
    ("body", "compressed", "version"),
    [(PLAIN, False, 493), (COMPRESSED, True, 493), (COMPRESSED, False, 493), (OLD, False, 36)],
    ids=["plain", "compressed", "compressed without saying so", "before 3.0.11"],
)
def test_every_form_of_registration_makes_the_route(
    running: Running, body: bytes, compressed: bool, version: int
) -> None:
    answer = running.register(body, version=version, compressed=compressed)
    assert (answer.code, answer.remark, answer.ext, answer.body) == (0, None, {}, b"")
    assert running.route().body == ROUTE_STRICT


def test_a_compressed_registration_before_5_0_has_no_mappings(running: Running) -> None:
    without = zlib.compress(zlib.decompress(COMPRESSED)[:-4])
    assert running.register(without, compressed=True, version=412).code == 0
    assert running.route().code == 0


def test_a_registration_without_body_is_a_broker_without_topics(running: Running) -> None:
    assert running.register(b"").code == 0
    assert running.peer.ask(GetBrokerClusterInfo()).body == (
        b'{"brokerAddrTable":{"a":{"brokerAddrs":{0:"h:1"},"brokerName":"a","cluster":"C","enableActingMaster":false}},'
        b'"clusterAddrTable":{"C":["a"]}}'
    )


def test_checksums_are_checked(running: Running) -> None:
    assert running.register(body_crc32=zlib.crc32(PLAIN) & 0x7FFFFFFF).code == 0
    refused = running.register(body_crc32=12345)
    assert (refused.code, refused.remark) == (1, "crc32 not match")


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"\x78nonsense", b"\xff\xfe", b'{"topicConfigSerializeWrapper":7}', b"[" * 5000]
)
def test_bodies_that_are_no_registration_are_refused(running: Running, body: bytes) -> None:
    assert running.register(body).code == 1
    assert running.route().code == 17


def test_a_slave_is_told_its_master(running: Running) -> None:
    running.register()
    answer = running.register(broker_id=1, address="h:2")
    assert answer.ext == {"masterAddr": "h:1", "haServerAddr": "ha-h:1"}


def test_a_registering_broker_is_told_the_ordered_topics(running: Running) -> None:
    running.peer.ask(PutKVConfig("ORDER_TOPIC_CONFIG", "T1", "a:4"))
    assert running.register().body == b'{"table":{"T1":"a:4"}}'


def test_ordered_topics_are_kept_back_when_set_so() -> None:
    running = Running("returnOrderTopicConfigToBroker=false")
    running.peer.ask(PutKVConfig("ORDER_TOPIC_CONFIG", "T1", "a:4"))
    assert running.register().body == b""


@pytest.mark.parametrize(
    ("version", "standard", "body"),
    [(401, None, ROUTE_STRICT), (400, None, ROUTE_BARE), (317, True, ROUTE_STRICT), (317, False, ROUTE_BARE)],
)
def test_the_route_is_in_the_json_that_the_asker_reads(
    running: Running, version: int, standard: bool | None, body: bytes
) -> None:
    running.register()
    assert running.route(version=version, standard=standard).body == body


def test_no_route_is_apaches_sentence(running: Running) -> None:
    answer = running.route("X")
    assert answer.code == 17
    assert answer.remark == (
        "No topic route info in name server for the topic: X"
        "\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details."
    )


def test_a_route_has_the_order_when_order_messages_are_enabled() -> None:
    running = Running("orderMessageEnable=true")
    running.peer.ask(PutKVConfig("ORDER_TOPIC_CONFIG", "T1", "a:4"))
    running.register()
    assert b'"orderTopicConf":"a:4"' in running.route().body


def test_a_route_within_a_zone(running: Running) -> None:
    running.register()
    zone = {"__ZONE_MODE": "true", "__ZONE_NAME": "elsewhere"}
    assert running.route(ext=zone).body == b'{"brokerDatas":[],"filterServerTable":{},"queueDatas":[]}'
    assert running.route(ext={**zone, "__ZONE_MODE": "false"}).body == ROUTE_STRICT


def test_routes_wait_for_the_service_to_be_ready() -> None:
    running = Running("needWaitForService=true\nwaitSecondsForService=45")
    running.register()
    assert (running.route().code, running.route().remark) == (1, "name server not ready")
    running.reactor.advance(45)
    assert running.route().code == 0


def test_unregistering_and_closing_take_effect_at_once(running: Running) -> None:
    running.register()
    assert running.peer.ask(UnregisterBroker("a", "h:1", "C", 0)).code == 0
    assert running.route().code == 17
    broker = running.connect()
    running.register(peer=broker)
    running.register(peer=broker)
    assert running.route().code == 0
    broker.leave()
    assert running.route().code == 17


def test_silent_brokers_are_looked_for(running: Running) -> None:
    broker = running.connect()
    running.register(peer=broker)
    running.reactor.pump([5.0] * 24)
    assert running.route().code == 0
    running.reactor.pump([5.0])
    assert running.route().code == 17
    assert not broker.connection.alive


def test_heartbeats_and_version_queries_are_signs_of_life(running: Running) -> None:
    running.register()
    running.reactor.pump([5.0] * 23)
    assert running.peer.ask(BrokerHeartbeat("C", "h:1", "a")).code == 0
    running.reactor.pump([5.0] * 23)
    answer = running.peer.ask(QueryDataVersion("a", "h:1", "C", 0), VERSION)
    assert (answer.ext, answer.body) == ({"changed": "false"}, b'{"counter":1,"stateVersion":0,"timestamp":7}')
    running.reactor.pump([5.0] * 23)
    assert running.route().code == 0


def test_an_unknown_brokers_version_has_changed(running: Running) -> None:
    answer = running.peer.ask(QueryDataVersion("a", "h:9", "C", 0), VERSION)
    assert (answer.ext, answer.body) == ({"changed": "true"}, b"")


def test_members_of_a_group(running: Running) -> None:
    running.register()
    assert running.peer.ask(GetBrokerMemberGroup("C", "a")).body == (
        b'{"brokerMemberGroup":{"brokerAddrs":{0:"h:1"},"brokerName":"a","cluster":"C"}}'
    )


def test_topic_lists(running: Running) -> None:
    running.register()
    ask = running.peer.ask
    assert ask(GetAllTopicListFromNameserver()).body == b'{"topicList":["T1","T2"]}'
    assert ask(GetTopicsByCluster("C")).body == b'{"topicList":["T1","T2"]}'
    assert ask(GetTopicsByCluster("nowhere")).body == b'{"topicList":[]}'
    assert ask(GetSystemTopicListFromNs()).body == b'{"brokerAddr":"h:1","topicList":["C","a"]}'
    for header in (GetUnitTopicList(), GetHasUnitSubTopicList(), GetHasUnitSubUnunitTopicList()):
        assert ask(header).body == b'{"topicList":[]}'


def test_topic_lists_can_be_disabled() -> None:
    running = Running("enableAllTopicList=false\nenableTopicList=false")
    headers = (
        GetAllTopicListFromNameserver(),
        GetTopicsByCluster("C"),
        GetUnitTopicList(),
        GetHasUnitSubTopicList(),
        GetHasUnitSubUnunitTopicList(),
    )
    for header in headers:
        answer = running.peer.ask(header)
        assert (answer.code, answer.remark) == (1, "disable")


def test_single_topics_are_registered_and_deleted(running: Running) -> None:
    running.register()
    assert (
        running.peer.ask(RegisterTopicInNamesrv("N"), TopicRouteData(queue_datas=[QueueData("a", 1, 1, 6)])).code == 0
    )
    assert running.route("N").code == 0
    assert running.peer.ask(RegisterTopicInNamesrv("../x"), TopicRouteData()).code == 29
    assert running.peer.ask(DeleteTopicInNamesrv("N", "other")).code == 0
    assert running.route("N").code == 0
    assert running.peer.ask(DeleteTopicInNamesrv("N")).code == 0
    assert running.route("N").code == 17


def test_write_permission_is_wiped_and_added(running: Running) -> None:
    running.register()
    assert running.peer.ask(WipeWritePermOfBroker("a")).ext == {"wipeTopicCount": "2"}
    assert b'"perm":4' in running.route().body
    assert running.peer.ask(AddWritePermOfBroker("a")).ext == {"addTopicCount": "2"}
    assert b'"perm":6' in running.route().body


def test_key_values(running: Running) -> None:
    ask = running.peer.ask
    missing = ask(GetKVConfig("ns", "k"))
    assert (missing.code, missing.remark) == (22, "No config item, Namespace: ns Key: k")
    missing = ask(GetKVListByNamespace("ns"))
    assert (missing.code, missing.remark) == (22, "No config item, Namespace: ns")
    assert ask(PutKVConfig("ns", "k", "v")).code == 0
    assert ask(GetKVConfig("ns", "k")).ext == {"value": "v"}
    assert ask(GetKVListByNamespace("ns")).body == b'{"table":{"k":"v"}}'
    assert running.files.files["kv.json"] == b'{"configTable":{"ns":{"k":"v"}}}'
    assert ask(DeleteKVConfig("ns", "k")).code == 0
    assert ask(GetKVConfig("ns", "k")).code == 22


def test_settings_are_shown_changed_and_written(running: Running) -> None:
    assert b"\norderMessageEnable=false\n" in running.peer.ask(GetNamesrvConfig()).body
    assert running.peer.ask(UpdateNamesrvConfig(), b"orderMessageEnable=true").code == 0
    shown = running.peer.ask(GetNamesrvConfig()).body
    assert b"\norderMessageEnable=true\n" in shown
    assert running.files.files["ns.properties"] == shown


def test_settings_that_cannot_be_written_are_in_effect_and_it_is_said(running: Running) -> None:
    running.files.refuse = OSError(28, "No space left on device")
    answer = running.peer.ask(UpdateNamesrvConfig(), b"orderMessageEnable=true")
    reason = "in effect, but ns.properties cannot be written: [Errno 28] No space left on device"
    assert (answer.code, answer.remark) == (1, reason)
    assert b"\norderMessageEnable=true\n" in running.peer.ask(GetNamesrvConfig()).body


@pytest.mark.parametrize("key", ["kvConfigPath", "configStorePath", "configBlackList", "rocketmqHome"])
def test_black_listed_settings_are_refused(running: Running, key: str) -> None:
    answer = running.peer.ask(UpdateNamesrvConfig(), f"{key}=x".encode())
    assert (answer.code, answer.remark) == (16, "Can not update config in black list.")


def test_bad_settings_are_refused_with_a_sentence(running: Running) -> None:
    answer = running.peer.ask(UpdateNamesrvConfig(), b"orderMessageEnable=perhaps")
    assert answer.code == 29
    assert "orderMessageEnable must be true or false" in str(answer.remark)


def test_what_it_does_not_know_is_code_3(running: Running) -> None:
    running.peer.send(Command(310, opaque=9))
    (answer,) = running.peer.answers()
    assert (answer.code, answer.opaque, answer.remark) == (3, 9, " request type 310 not supported")


def test_a_missing_field_is_named(running: Running) -> None:
    running.peer.send(Command(105))
    (answer,) = running.peer.answers()
    assert (answer.code, answer.remark) == (1, "the custom field <topic> is null")


def test_it_listens_where_it_is_told_and_stops() -> None:
    running = Running("listenPort=0\nbindAddress=127.0.0.1")
    assert running.reactor.tcpServers[0][0] == 0
    assert running.reactor.tcpServers[0][3] == "127.0.0.1"
    running.server.stop()
    assert not running.server.tables.live


def test_it_handles_every_request_of_a_name_server(running: Running) -> None:
    assert running.server.dispatcher.codes == {
        100, 101, 102, 103, 104, 105, 106, 205, 206, 216, 217, 219, 224, 304, 311, 312, 313, 318, 319, 322, 327, 901,
        904,
    }  # fmt: skip
