"""The table of rules and its file."""

import json

import pytest

from rmq.server.broker.auth import acls
from rmq.server.broker.auth.acls import AclTable
from rmq.server.broker.meta.config_file import ConfigFile, ConfigFileError
from rmq.wire.bodies.auth import AclInfo, PolicyEntryInfo, PolicyInfo
from rmq.wire.errors import InvalidParameterError, RemotingError, SystemBusyError
from tests.kit.memory_files import MemoryFiles

BOB = "User:bob"


def table(files: MemoryFiles) -> AclTable:
    made = AclTable(ConfigFile("acls.json", files, private=True))
    made.load()
    return made


def rule(resource: str, *actions: str, decision: str = "Allow") -> PolicyEntryInfo:
    return PolicyEntryInfo(resource, list(actions or ("Pub",)), None, decision)


def custom(*entries: PolicyEntryInfo) -> PolicyInfo:
    return PolicyInfo("Custom", list(entries))


def test_rules_are_there_after_a_restart() -> None:
    files = MemoryFiles()
    made = table(files)
    assert made.find(BOB) is None
    made.put(BOB, [custom(rule("Topic:T"))])
    made.put("User:alice", [PolicyInfo("Default", [rule("*", "All")])])
    alice = AclInfo("User:alice", [PolicyInfo("Default", [rule("*", "All")])])
    bob = AclInfo(BOB, [custom(rule("Topic:T"))])
    assert table(files).matching(None, None) == made.matching(None, None) == [alice, bob]
    assert table(files).find(BOB) == bob
    assert json.loads(files.files["acls.json"])["acls"][BOB]["policies"][0]["entries"][0]["resource"] == "Topic:T"
    assert files.private == {"acls.json"}
    made.remove(BOB)
    made.remove("User:nobody")
    assert table(files).matching(None, None) == [alice]


def test_a_rule_for_the_same_resource_is_replaced_in_its_place() -> None:
    made = table(MemoryFiles())
    made.put(BOB, [custom(rule("Topic:A"), rule("Topic:B"))])
    more = custom(rule("Topic:C"), rule("Topic:A", "Sub", decision="Deny"))
    made.put(BOB, [more, PolicyInfo("Default", [rule("*")])])
    merged = [
        custom(rule("Topic:A", "Sub", decision="Deny"), rule("Topic:B"), rule("Topic:C")),
        PolicyInfo("Default", [rule("*")]),
    ]
    assert made.find(BOB) == AclInfo(BOB, merged)


def test_rules_that_repeat_themselves() -> None:
    made = table(MemoryFiles())
    made.put(BOB, [custom(rule("Topic:A"), rule("Topic:A", "Sub"))])
    assert made.find(BOB) == AclInfo(BOB, [custom(rule("Topic:A"), rule("Topic:A", "Sub"))])
    made.put(BOB, [custom(rule("Topic:A", "Get"), rule("Topic:A", "List"))])
    assert made.find(BOB) == AclInfo(BOB, [custom(rule("Topic:A", "List"), rule("Topic:A", "Sub"))])
    made.remove_resource(BOB, "Custom", "Topic:A")
    assert made.find(BOB) == AclInfo(BOB, [custom(rule("Topic:A", "Sub"))])


def test_one_rule_is_removed_and_with_the_last_one_all_is_gone() -> None:
    files = MemoryFiles()
    made = table(files)
    made.put(BOB, [custom(rule("Topic:A"), rule("Topic:B")), PolicyInfo("Default", [rule("Topic:A")])])
    made.remove_resource(BOB, "Custom", "Topic:none")
    made.remove_resource("User:nobody", "Custom", "Topic:A")
    made.remove_resource(BOB, "Custom", "Topic:A")
    assert made.find(BOB) == AclInfo(BOB, [custom(rule("Topic:B")), PolicyInfo("Default", [rule("Topic:A")])])
    made.remove_resource(BOB, "Default", "Topic:A")
    made.remove_resource(BOB, "Default", "Topic:A")
    assert made.find(BOB) == AclInfo(BOB, [custom(rule("Topic:B"))])
    made.remove_resource(BOB, "Custom", "Topic:B")
    assert made.find(BOB) is None
    assert table(files).matching(None, None) == []


def test_parts_of_subject_and_resource() -> None:
    made = table(MemoryFiles())
    made.put(BOB, [custom(rule("Topic:orders"), rule("Group:g"))])
    made.put("User:alice", [custom(rule("Topic:bob"))])
    assert made.matching("bob", " ") == [AclInfo(BOB, [custom(rule("Topic:orders"), rule("Group:g"))])]
    assert made.matching(None, "Topic:o") == [AclInfo(BOB, [custom(rule("Topic:orders"))])]
    assert made.matching(None, "bob") == [AclInfo("User:alice", [custom(rule("Topic:bob"))])]
    assert made.matching("alice", "orders") == []
    assert len((made.find(BOB) or AclInfo()).policies or []) == 1, "a listing takes nothing away"


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    made = table(MemoryFiles())
    many = [custom(*(rule(f"Topic:{number:060}") for number in range(1000)))]
    with pytest.raises(InvalidParameterError, match=r"DESC: rules of \d+ bytes for one subject are more than 65536$"):
        made.put(BOB, many)
    assert made.find(BOB) is None
    made.put(BOB, [custom(*(rule(f"Topic:{number:060}") for number in range(300)))])
    monkeypatch.setattr(acls, "MAX_TOTAL", 60_000)
    with pytest.raises(SystemBusyError, match=r"DESC: this broker takes no more than 60000 characters of rules$"):
        made.put("User:alice", [custom(*(rule(f"Topic:{number:060}") for number in range(300)))])
    made.put(BOB, [custom(rule(f"Topic:{0:060}", "Sub"))])
    made.remove(BOB)
    made.put("User:alice", [custom(*(rule(f"Topic:{number:060}") for number in range(300)))])


def test_a_full_disk_changes_nothing() -> None:
    files = MemoryFiles()
    made = table(files)
    made.put(BOB, [custom(rule("Topic:A"), rule("Topic:B"))])
    before = made.find(BOB)
    files.refuse = OSError(28, "No space left on device")
    for change in (
        lambda: made.put(BOB, [custom(rule("Topic:A", "Sub"), rule("Topic:C"))]),
        lambda: made.put("User:alice", [custom(rule("Topic:A"))]),
        lambda: made.remove_resource(BOB, "Custom", "Topic:A"),
        lambda: made.remove(BOB),
    ):
        with pytest.raises(RemotingError, match=r"the rules cannot be written: .* No space left on device"):
            change()
    files.refuse = None
    assert made.matching(None, None) == [before]
    made.put("User:carol", [custom(rule("*"))])
    assert table(files).matching("bob", None) == [before]


def test_a_damaged_file_stops_the_start() -> None:
    with pytest.raises(ConfigFileError, match=r"^acls\.json: "):
        table(MemoryFiles({"acls.json": b'{"acls":[]}'}))
