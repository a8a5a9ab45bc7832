"""Each change names the command of mqadmin that does the same: our own mqadmin takes it, and understands the same."""

import json

import pytest

from rmq.admin.declare import find
from rmq.admin.parser import parse
from rmq.tui.service.changes.brokers import AddWritePerm, ChangeBrokerSettings, ShutdownBroker, WipeWritePerm
from rmq.tui.service.changes.change import Change, Risk
from rmq.tui.service.changes.groups import CreateGroup, DeleteGroup, EditGroup, GroupDefinition
from rmq.tui.service.changes.places import Place
from rmq.tui.service.changes.topics import CreateTopic, DeleteTopic, EditTopic, ImportTopics, TopicDefinition

CLUSTER, BROKER = Place(cluster="C1"), Place(broker="10.0.0.1:10911")
POLICY = json.dumps({"type": "EXPONENTIAL", "exponentialRetryPolicy": {"initial": 1, "max": 9, "multiplier": 2}})
FIFO = TopicDefinition("T", 4, 2, 6, True, (("message.type", "FIFO"),), sys_flag=3)
ONE = (("a", "1"),)
CASES: list[tuple[Change, str, dict[str, str]]] = [
    (
        CreateTopic(CLUSTER, FIFO),
        "updateTopic",
        {"c": "C1", "t": "T", "r": "4", "w": "2", "p": "6", "o": "true", "u": "true", "s": "true",
         "a": "+message.type=FIFO"},
    ),
    (
        EditTopic(BROKER, TopicDefinition("T", perm=4, attributes=(("b", "2"),)), TopicDefinition("T", attributes=ONE)),
        "updateTopic",
        {"b": "10.0.0.1:10911", "t": "T", "r": "8", "w": "8", "p": "4", "o": "false", "a": "+b=2,-a"},
    ),
    (DeleteTopic("C1", "T"), "deleteTopic", {"c": "C1", "t": "T"}),
    (
        ImportTopics(CLUSTER, (FIFO,), "a b.json", True),
        "importMetadata",
        {"c": "C1", "f": "a b.json", "t": "", "o": ""},
    ),
    (
        CreateGroup(CLUSTER, GroupDefinition("G", False, retry_max=-1, retry_policy=POLICY)),
        "updateSubGroup",
        {"c": "C1", "g": "G", "s": "false", "m": "true", "d": "true", "o": "false", "q": "1", "r": "-1", "i": "0",
         "w": "1", "a": "true", "p": POLICY},
    ),
    (
        EditGroup(BROKER, GroupDefinition("G", retry_max=3), GroupDefinition("G")),
        "updateSubGroup",
        {"b": "10.0.0.1:10911", "g": "G", "s": "true", "m": "true", "d": "true", "o": "false", "q": "1", "r": "3",
         "i": "0", "w": "1", "a": "true"},
    ),
    (DeleteGroup(CLUSTER, "G", True), "deleteSubGroup", {"c": "C1", "g": "G", "r": "true"}),
    (
        ChangeBrokerSettings(CLUSTER, (("fileReservedTime", "48"),), slaves=True),
        "updateBrokerConfig",
        {"c": "C1", "a": "true", "k": "fileReservedTime", "v": "48"},
    ),
    (WipeWritePerm("broker-a"), "wipeWritePerm", {"b": "broker-a"}),
    (AddWritePerm("broker-a"), "addWritePerm", {"b": "broker-a"}),
]  # fmt: skip


@pytest.mark.parametrize(("change", "name", "options"), CASES, ids=lambda item: type(item).__name__)
def test_our_mqadmin_takes_the_command_and_understands_the_same(
    change: Change, name: str, options: dict[str, str]
) -> None:
    words = change.command
    assert words[0] == name
    command = find(name)
    assert command is not None
    parsed = parse(command.accepted, [*words[1:], "-n", "127.0.0.1:9876"], command.extras)
    assert parsed.words == []
    keys = {option.key for item in command.accepted for option in getattr(item, "options", (item,))} - {"n"}
    assert {key: parsed.get(key) or "" for key in keys if parsed.given(key)} == options
    assert change.commands == (words,)


def test_several_settings_are_several_commands() -> None:
    change = ChangeBrokerSettings(BROKER, (("traceOn", "true"), ("brokerPermission", "4")))
    assert change.commands == (
        ("updateBrokerConfig", "-b", "10.0.0.1:10911", "-k", "traceOn", "-v", "true"),
        ("updateBrokerConfig", "-b", "10.0.0.1:10911", "-k", "brokerPermission", "-v", "4"),
    )


def test_nothing_in_mqadmin_ends_a_broker() -> None:
    change = ShutdownBroker("broker-a", "10.0.0.1:10911")
    assert (change.command, change.commands, change.risk) == ((), (), Risk.HIGH)


@pytest.mark.parametrize(
    ("change", "title", "target", "risk"),
    [
        (CASES[0][0], "create topic T on cluster C1", "T", Risk.LOW),
        (
            CASES[1][0],
            "edit topic T on 10.0.0.1:10911: perm RW- -> R--, a 1 -> -, b - -> 2",
            "T",
            Risk.MEDIUM,
        ),
        (CASES[2][0], "delete topic T from cluster C1", "T", Risk.HIGH),
        (CASES[3][0], "import 1 topic from a b.json to cluster C1", "a b.json", Risk.MEDIUM),
        (CASES[4][0], "create group G on cluster C1", "G", Risk.LOW),
        (CASES[5][0], "edit group G on 10.0.0.1:10911: retryMaxTimes 16 -> 3", "G", Risk.MEDIUM),
        (CASES[6][0], "delete group G from cluster C1, its offsets too", "G", Risk.HIGH),
        (CASES[7][0], "set fileReservedTime=48 on cluster C1", "C1", Risk.MEDIUM),
        (CASES[8][0], "take the write permission from broker-a", "broker-a", Risk.MEDIUM),
        (CASES[9][0], "give the write permission back to broker-a", "broker-a", Risk.MEDIUM),
        (
            ChangeBrokerSettings(BROKER, (("initAuthenticationUser", "u:p"),)),
            "set initAuthenticationUser=****** on 10.0.0.1:10911",
            "10.0.0.1:10911",
            Risk.MEDIUM,
        ),
    ],
)
def test_titles_targets_and_risks(change: Change, title: str, target: str, risk: Risk) -> None:
    assert (change.title, change.target, change.risk) == (title, target, risk)
