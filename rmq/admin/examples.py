"""A command line for every command: what it requires, with plausible values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rmq.admin.declare import Command
from rmq.admin.options import Group, Option

SAMPLES: Final = {
    "actions": "Pub,Sub",
    "body": "hello",
    "broker": "127.0.0.1:10911",
    "brokerAddr": "127.0.0.1:10911",
    "brokerConfigPath": "conf/broker.conf",
    "brokerContainerAddr": "127.0.0.1:10811",
    "brokerId": "2",
    "brokerIdentity": "DefaultCluster:broker-a:0",
    "brokerName": "broker-a",
    "brokers": "broker-a",
    "cluster": "DefaultCluster",
    "clusterName": "DefaultCluster",
    "commitLogReadAheadMode": "1",
    "configType": "topics",
    "consumerGroup": "GID_orders",
    "controllerAddress": "127.0.0.1:9878",
    "decision": "Allow",
    "destGroup": "GID_new",
    "engineType": "R",
    "filename": "list.json",
    "filePath": "/tmp/rocketmq/export",
    "fromBroker": "127.0.0.1:10911",
    "group": "GID_orders",
    "groupName": "GID_orders",
    "index": "0",
    "ipList": "10.0.0.1,10.0.0.2",
    "key": "fileReservedTime",
    "method": "get",
    "mode": "POP",
    "msgId": "7F0000010000D5A900000000000003E8",
    "msgKey": "order-1001",
    "nameserverAddr": "127.0.0.1:9876",
    "namespace": "ORDER_TOPIC_CONFIG",
    "offset": "0",
    "password": "secret",
    "path": "/root/store/config",
    "perm": "4",
    "producerGroup": "PID_orders",
    "queue": "0",
    "queueId": "0",
    "resources": "Topic:orders",
    "srcGroup": "GID_orders",
    "subject": "User:alice",
    "threshold": "1000000",
    "timestamp": "now",
    "toBroker": "127.0.0.2:10911",
    "topic": "orders",
    "topicName": "orders",
    "totalQueueNum": "8",
    "userStatus": "enable",
    "username": "alice",
    "value": "48",
}
"""A value for each option that some command requires, by its long name."""

_OWN: Final = {
    "updateKvConfig": {"key": "orders", "value": "broker-a:8"},
    "deleteKvConfig": {"key": "orders"},
    "updateNamesrvConfig": {"key": "returnOrderTopicConfigToBroker", "value": "true"},
    "updateControllerConfig": {"key": "enableElectUncleanMaster", "value": "false"},
}
"""Where those of a command are others."""

_MORE: Final = {
    "cleanBrokerMetadata": ("-c", "DefaultCluster"),
    "dumpCompactionLog": ("-f", "compactionLog/orders/0/00000000000000000000"),
    "getAcl": ("-s", "User:alice"),
    "getUser": ("-u", "alice"),
    "resetMasterFlushOffset": ("-b", "127.0.0.1:10911", "-o", "0"),
    "rocksDBConfigToJson": ("-c", "DefaultCluster"),
}
"""What a command needs although it does not declare it as required."""


def required_options(command: Command) -> list[Option]:
    """What must be given: the required options, of each group the last one, and one of those of which one is needed."""
    found = [item.options[-1] if isinstance(item, Group) else item for item in command.accepted if item.required]
    if command.needs_one_of:
        found += [option for option in command.options if option.key == command.needs_one_of[-1]]
    return found


def shortest(command: Command) -> list[str]:
    """The words of the shortest command line, without `mqadmin`."""
    words = [command.name]
    for option in required_options(command):
        words.append(f"-{option.short}" if option.short else f"--{option.long}")
        if not option.flag:
            name = option.long.strip()
            words.append(_OWN.get(command.name, SAMPLES).get(name) or SAMPLES[name])
    return [*words, *_MORE.get(command.name, ())]


def written(words: Iterable[str]) -> str:
    """A command line as a shell takes it."""
    import shlex

    return shlex.join(["mqadmin", *words])
