"""Changes where one of several servers is away: the others are changed, and it is said which were not."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from rmq.tui.service.changes.brokers import ChangeBrokerSettings, ShutdownBroker, WipeWritePerm
from rmq.tui.service.changes.change import Change, Item, Outcome, Preview
from rmq.tui.service.changes.groups import CreateGroup, DeleteGroup, EditGroup, GroupDefinition
from rmq.tui.service.changes.places import Place
from rmq.tui.service.changes.topics import CreateTopic, DeleteTopic, EditTopic, ImportTopics, TopicDefinition
from rmq.tui.service.live.changes.registry import DOERS
from rmq.tui.service.live.known import Known
from rmq.wire.bodies.group import SubscriptionGroupConfig, SubscriptionGroupWrapper
from rmq.wire.bodies.topic import (
    TopicConfig,
    TopicConfigAndMappingSerializeWrapper,
    TopicList,
)
from rmq.wire.errors import TopicNotExistError
from rmq.wire.requests.broker import GetBrokerConfig, GetSystemTopicListFromBroker, UpdateBrokerConfig
from rmq.wire.requests.consumer import GetConsumeStats
from rmq.wire.requests.group import (
    DeleteSubscriptionGroup,
    GetAllSubscriptionGroupConfig,
    GetAllSubscriptionGroupReply,
    UpdateAndCreateSubscriptionGroup,
)
from rmq.wire.requests.namesrv import DeleteTopicInNamesrv, GetAllTopicListFromNameserver
from rmq.wire.requests.topic import (
    DeleteTopicInBroker,
    GetAllTopicConfig,
    GetAllTopicConfigReply,
    GetTopicConfig,
    UpdateAndCreateTopic,
)
from tests.kit.adminfake import MASTER_A, MASTER_B, NAMESRV, NOW, SLAVE_A, FakeServers, Reply, fake_admin

C1 = Place(cluster="C1")
DEAD = "10.0.0.3:10911: cannot connect: refused"
AWAY = f"broker-b cannot be asked: {DEAD}"


class Brokers:
    """Topics, groups and settings of three brokers in memory."""

    def __init__(self) -> None:
        self.topics: dict[str, dict[str, TopicConfig]] = {MASTER_A: {}, MASTER_B: {}}
        self.groups: dict[str, dict[str, SubscriptionGroupConfig]] = {MASTER_A: {}, MASTER_B: {}}
        self.settings: dict[str, str] = {"fileReservedTime": "72"}
        self.servers = FakeServers(
            {
                GetTopicConfig: self.topic,
                UpdateAndCreateTopic: self.put_topic,
                GetAllTopicConfig: self.all_topics,
                GetSystemTopicListFromBroker: TopicList(["own"]),
                GetAllSubscriptionGroupConfig: self.all_groups,
                GetAllTopicListFromNameserver: TopicList(["%RETRY%g", "%DLQ%g"]),
                GetBrokerConfig: self.listing,
            }
        )

    def topic(self, address: str, header: GetTopicConfig) -> Any:
        return self.topics[address].get(header.topic) or TopicNotExistError("none")

    def put_topic(self, address: str, header: UpdateAndCreateTopic) -> bytes:
        config = TopicConfig(header.topic, header.read_queue_nums, header.write_queue_nums, header.perm)
        config.attributes = {"message.type": "FIFO"} if "FIFO" in (header.attributes or "") else {}
        self.topics[address][header.topic] = config
        return b""

    def all_topics(self, address: str, header: GetAllTopicConfig) -> Reply:
        table = self.topics[address]
        return Reply(TopicConfigAndMappingSerializeWrapper(table), GetAllTopicConfigReply(len(table)))

    def all_groups(self, address: str, header: GetAllSubscriptionGroupConfig) -> Reply:
        table = self.groups[address]
        return Reply(SubscriptionGroupWrapper(table), GetAllSubscriptionGroupReply(len(table)))

    def listing(self, address: str, header: GetBrokerConfig) -> bytes:
        return "".join(f"{key}={value}\n" for key, value in self.settings.items()).encode()

    def _run(self, ask: Callable[[Known], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            return await ask(Known(fake_admin(self.servers), lambda: NOW))

        return asyncio.run(run())

    def preview(self, change: Change) -> Preview:
        found: Preview = self._run(lambda known: DOERS[type(change)].preview(known, change))
        return found

    def carry_out(self, change: Change) -> Outcome:
        found: Outcome = self._run(lambda known: DOERS[type(change)].carry_out(known, change, lambda item: None))
        return found

    def changed(self, kind: type[Any]) -> list[str]:
        """Addresses that were sent a change."""
        return [address for address, _ in self.servers.sent(kind)]


def one_is_away() -> Brokers:
    made = Brokers()
    made.servers.down.add(MASTER_B)
    return made


def test_a_topic_is_created_on_the_masters_that_answer() -> None:
    brokers = one_is_away()
    change = CreateTopic(C1, TopicDefinition("T", 2, 2))
    assert brokers.preview(change) == Preview(
        ("BROKER", "SETTING", "NOW", "THEN"),
        (("broker-a", "topic", "-", "2r/2w RW- NORMAL"),),
        ("2 queues to write to, on 1 broker",),
        (AWAY,),
    )
    assert brokers.carry_out(change) == Outcome(
        False,
        "1 of 2 brokers as wanted",
        (Item("broker-a", True, "created"), Item("broker-b", False, DEAD)),
        ("broker-a: 2r/2w RW- NORMAL", f"broker-b: cannot be read back: {DEAD}"),
    )
    brokers.servers.down.add(MASTER_A)
    assert brokers.preview(change).refusal == "no broker can be asked"


def test_a_broker_that_answers_success_and_does_nothing_is_found_out() -> None:
    brokers = Brokers()
    brokers.servers.answers[UpdateAndCreateTopic] = b""
    outcome = brokers.carry_out(CreateTopic(C1, TopicDefinition("T", 2, 2)))
    assert (outcome.ok, outcome.text) == (False, "0 of 2 brokers as wanted")
    assert outcome.read_back == ("broker-a: it is not there", "broker-b: it is not there")
    brokers.topics[MASTER_A]["T"] = TopicConfig("T", 1, 2)
    outcome = brokers.carry_out(CreateTopic(C1, TopicDefinition("T", 2, 2)))
    assert outcome.read_back[0] == "broker-a: 1r/2w RW- NORMAL, readQueueNums is 1 and not 2"


def test_an_edit_sends_each_broker_what_differs_there() -> None:
    brokers = Brokers()
    had = TopicConfig("T", 2, 2, attributes={"message.type": "FIFO", "a": "1"})
    brokers.topics[MASTER_A]["T"] = had
    before = TopicDefinition("T", 2, 2, attributes=(("a", "1"), ("message.type", "NORMAL")))
    wanted = TopicDefinition("T", 4, 2, attributes=(("message.type", "FIFO"),))
    change = EditTopic(C1, wanted, before)
    preview = brokers.preview(change)
    assert preview.rows == (
        ("broker-a", "readQueueNums", "2", "4"),
        ("broker-a", "a", "1", "-"),
        ("broker-b", "topic", "-", "4r/2w RW- FIFO"),
    )
    assert preview.warnings == ("broker-b does not have it: it is made there",)
    brokers.carry_out(change)
    sent = {address: header.attributes for address, header in brokers.servers.sent(UpdateAndCreateTopic)}
    # FIFO is there already, and what broker-b never had cannot be dropped.
    assert sent == {MASTER_A: "-a", MASTER_B: "+message.type=FIFO"}


def test_the_route_of_a_topic_stays_when_a_master_fails_to_delete_it() -> None:
    brokers = one_is_away()
    brokers.topics[MASTER_A]["T"] = TopicConfig("T", 2, 2)
    change = DeleteTopic("C1", "T")
    assert AWAY in brokers.preview(change).warnings
    assert brokers.carry_out(change) == Outcome(
        False,
        "1 broker failed: the route stays",
        (Item("broker-a", True, "deleted"), Item("broker-b", False, DEAD)),
    )
    assert brokers.changed(DeleteTopicInBroker) == [MASTER_A, MASTER_B]
    assert brokers.changed(DeleteTopicInNamesrv) == []


def test_a_topic_that_is_still_there_was_not_deleted() -> None:
    brokers = Brokers()
    brokers.topics[MASTER_A]["T"] = TopicConfig("T", 2, 2)
    outcome = brokers.carry_out(DeleteTopic("C1", "T"))
    assert (outcome.ok, outcome.text) == (False, "not all of it is gone")
    assert outcome.read_back == ("broker-a: it is still there", "broker-b: it is gone", "route: there is none")
    assert brokers.changed(DeleteTopicInNamesrv) == [NAMESRV]


def test_a_file_is_shared_out_among_the_masters() -> None:
    brokers = Brokers()
    whole = (TopicDefinition("T", 5, 5), TopicDefinition("own", 1, 1))
    change = ImportTopics(C1, whole, "f.json", added_up=True)
    found = brokers.preview(change)
    assert found.rows == (
        ("T", "broker-a", "new", "3r/3w RW- NORMAL"),
        ("T", "broker-b", "new", "2r/2w RW- NORMAL"),
    )
    outcome = brokers.carry_out(change)
    assert (outcome.ok, outcome.text) == (True, "2 created")
    assert brokers.topics[MASTER_B]["T"].read_queue_nums == 2
    brokers.servers.down.add(MASTER_B)
    outcome = brokers.carry_out(change)
    assert (outcome.ok, outcome.items[0]) == (False, Item("T", False, DEAD))
    assert outcome.read_back == ("broker-a: 1 of 1 topic as in the file", f"broker-b: cannot be read back: {DEAD}")


def test_a_group_keeps_what_the_form_does_not_show() -> None:
    brokers = Brokers()
    for table in brokers.groups.values():
        table["g"] = SubscriptionGroupConfig("g", consume_timeout_minute=3, attributes={"x": "1"})
    change = EditGroup(C1, GroupDefinition("g", retry_max=2), GroupDefinition("g"))
    preview = brokers.preview(change)
    assert preview.rows[0] == ("broker-a", "retryMaxTimes", "16", "2")
    assert preview.notes[0] == "broker-a: consumeTimeoutMinute=3 stays; mqadmin's command would reset it"
    brokers.carry_out(change)
    sent = [body for _, header, body in brokers.servers.calls if isinstance(header, UpdateAndCreateSubscriptionGroup)]
    assert [(body.retry_max_times, body.consume_timeout_minute, body.attributes) for body in sent] == [(2, 3, {})] * 2


def test_the_topics_of_a_group_stay_when_a_master_fails_to_delete_it() -> None:
    brokers = one_is_away()
    change = DeleteGroup(C1, "g", offsets=True)
    outcome = brokers.carry_out(change)
    assert (outcome.ok, outcome.text) == (False, "1 broker failed: its topics stay")
    assert brokers.changed(DeleteSubscriptionGroup) == [MASTER_A, MASTER_B]
    assert brokers.changed(DeleteTopicInBroker) == []
    # What is not known of the group is said, and does not keep it from being deleted.
    brokers.servers.answers[GetConsumeStats] = TopicNotExistError("none")
    found = brokers.preview(change)
    assert found.refusal == ""
    assert AWAY in found.warnings
    assert found.notes == ("topics that go with it, and the messages in them: %RETRY%g, %DLQ%g",)
    assert brokers.carry_out(CreateGroup(C1, GroupDefinition("h"))).text == "0 of 2 brokers as wanted"


def test_settings_are_sent_together_to_slaves_too() -> None:
    brokers = one_is_away()
    change = ChangeBrokerSettings(C1, (("fileReservedTime", "48"),), slaves=True)
    found = brokers.preview(change)
    assert found.rows == (
        ("broker-a", "fileReservedTime", "72", "48", "at once"),
        (f"broker-a ({SLAVE_A})", "fileReservedTime", "72", "48", "at once"),
    )
    assert found.warnings == (AWAY,)
    outcome = brokers.carry_out(change)
    ignored = "it answered success but did not take fileReservedTime"
    assert outcome.items == (
        Item("broker-a", False, ignored),
        Item(f"broker-a ({SLAVE_A})", False, ignored),
        Item("broker-b", False, DEAD),
    )
    assert brokers.changed(UpdateBrokerConfig) == [MASTER_A, SLAVE_A]
    assert outcome.read_back == (
        "broker-a: fileReservedTime = 72",
        f"broker-a ({SLAVE_A}): fileReservedTime = 72",
    )


def test_secret_settings_are_masked_before_and_after() -> None:
    brokers = Brokers()
    brokers.settings["innerClientAuthenticationCredentials"] = "old"
    change = ChangeBrokerSettings(Place(broker=MASTER_A), (("innerClientAuthenticationCredentials", "new"),))
    found = brokers.preview(change)
    assert found.rows[0][:4] == ("broker-a", "innerClientAuthenticationCredentials", "******", "******")
    assert "new" not in change.title
    assert "old" not in str(brokers.carry_out(change))


def test_a_name_server_that_knows_nothing_of_a_broker() -> None:
    brokers = Brokers()
    found = brokers.preview(WipeWritePerm("broker-a"))
    assert (found.refusal, found.warnings) == (
        "no name server has routes of it",
        (f"{NAMESRV} does not know this broker's topics",),
    )


def test_a_broker_of_others_is_not_ended() -> None:
    found = Brokers().preview(ShutdownBroker("broker-a", MASTER_A))
    assert found.refusal == (
        "it is no broker of ours that runs on this machine under this user: end it where it runs, with"
        " mqshutdown broker"
    )
    assert Brokers().carry_out(ShutdownBroker("broker-a", MASTER_A)).ok is False
