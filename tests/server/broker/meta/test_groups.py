"""Consumer groups: which there are, how they come into being, what is taken from them."""

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from rmq.server.broker.meta import groups as groups_module
from rmq.server.broker.meta.config_file import ConfigFile, ConfigFileError
from rmq.server.broker.meta.groups import GroupTable
from rmq.wire.bodies.group import SubscriptionGroupConfig
from rmq.wire.bodies.version import DataVersion
from rmq.wire.errors import SystemBusyError
from tests.kit.broker import settings_of
from tests.kit.memory_files import MemoryFiles

GOLDEN = Path(__file__).parents[1] / "golden"


def table(files: MemoryFiles | None = None, **overrides: Any) -> GroupTable:
    file = ConfigFile("subscriptionGroup.json", files or MemoryFiles())
    made = GroupTable(settings_of(**overrides), file, lambda: 1000)
    made.load()
    return made


def kept(files: MemoryFiles) -> Any:
    return json.loads(files.files["subscriptionGroup.json"])


def test_the_systems_groups_are_those_that_apache_creates() -> None:
    files = MemoryFiles()
    table(files).save()
    written = json.loads((GOLDEN / "subscriptionGroup.json").read_bytes())
    assert kept(files)["subscriptionGroupTable"] == written["subscriptionGroupTable"]
    assert kept(files).keys() == written.keys()


def test_a_file_of_apaches_loads_and_is_written_again_byte_for_byte() -> None:
    written = (GOLDEN / "subscriptionGroup.json").read_bytes()
    files = MemoryFiles({"subscriptionGroup.json": written})
    loaded = table(files)
    names = list(json.loads(written)["subscriptionGroupTable"])
    loaded._texts._texts = {name: loaded._texts._texts[name] for name in names}
    loaded.save()
    assert files.files["subscriptionGroup.json"] == written


def test_a_group_makes_itself_when_it_may() -> None:
    files = MemoryFiles()
    groups = table(files)
    assert groups.find("G") == SubscriptionGroupConfig("G")
    assert groups.version == DataVersion(0, 1, 1000)
    assert kept(files)["subscriptionGroupTable"]["G"]["retryMaxTimes"] == 16
    assert groups.find("G") is groups.configs["G"]
    assert groups.version.counter == 1
    assert table(files).configs["G"] == SubscriptionGroupConfig("G")


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 121, "a\n"])
def test_an_illegal_name_makes_no_group(name: str) -> None:
    groups = table()
    assert groups.find(name) is None
    assert name not in groups.configs


def test_only_groups_of_the_system_make_themselves_when_the_others_may_not() -> None:
    groups = table(autoCreateSubscriptionGroup=False)
    assert groups.find("G") is None
    assert groups.find("CID_RMQ_SYS_NEW") == SubscriptionGroupConfig("CID_RMQ_SYS_NEW")
    assert groups.find("TOOLS_CONSUMER") is not None


def test_a_full_disk_does_not_keep_consumers_away() -> None:
    files = MemoryFiles()
    groups = table(files)
    files.refuse = OSError(errno.ENOSPC, "no space")
    assert groups.find("G") is not None
    files.refuse = None
    groups.put(SubscriptionGroupConfig("H"))
    assert {"G", "H"} <= kept(files)["subscriptionGroupTable"].keys()


def test_remove_takes_what_was_forbidden_along() -> None:
    groups = table()
    groups.find("G")
    groups.set_forbidden("G", "T", 2, True)
    assert groups.remove("G")
    assert not groups.remove("G")
    assert groups.forbidden == {}
    assert groups.version.counter == 3


def test_permissions_are_bits_per_group_and_topic() -> None:
    files = MemoryFiles()
    groups = table(files)
    groups.set_forbidden("G", "T", 2, True)
    groups.set_forbidden("G", "T", 0, True)
    assert groups.forbidden == {"G": {"T": 5}}
    assert [groups.is_forbidden("G", "T", index) for index in range(3)] == [True, False, True]
    assert not groups.is_forbidden("G", "other", 2)
    assert kept(files)["forbiddenTable"] == {"G": {"T": 5}}
    assert table(files).is_forbidden("G", "T", 2)
    groups.set_forbidden("G", "T", 2, True)
    assert groups.version.counter == 2
    groups.set_forbidden("G", "T", 2, False)
    groups.set_forbidden("G", "T", 0, False)
    assert groups.forbidden == {}
    groups.set_forbidden("X", "Y", 0, False)
    assert groups.forbidden == {}
    assert groups.version.counter == 4


def test_the_number_of_groups_and_of_what_is_forbidden_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = table()
    monkeypatch.setattr(groups_module, "MAX_GROUPS", len(groups.configs) + 1)
    monkeypatch.setattr(groups_module, "MAX_FORBIDDEN", 1)
    groups.find("A")
    with pytest.raises(SystemBusyError, match="takes no more than"):
        groups.find("B")
    groups.put(SubscriptionGroupConfig("A", retry_max_times=3))
    groups.set_forbidden("A", "T", 2, True)
    groups.set_forbidden("A", "T", 1, True)
    with pytest.raises(SystemBusyError, match="no more are taken"):
        groups.set_forbidden("A", "U", 2, True)
    assert "B" not in groups.configs


def test_a_damaged_file_stops_the_start() -> None:
    with pytest.raises(ConfigFileError):
        table(MemoryFiles({"subscriptionGroup.json": b"[]"}))


@pytest.mark.parametrize(("broker", "group", "told"), [(True, True, True), (True, False, False), (False, True, False)])
def test_members_are_told_of_changes_where_group_and_broker_allow(broker: bool, group: bool, told: bool) -> None:
    groups = table(notifyConsumerIdsChangedEnable=str(broker).lower())
    groups.put(SubscriptionGroupConfig("G", notify_consumer_ids_changed_enable=group))
    assert groups.are_told("G") is told
    assert groups.are_told("unknown") is broker


def test_another_brokers_groups_in_place_of_the_own() -> None:
    files = MemoryFiles()
    groups = table(files)
    groups.put(SubscriptionGroupConfig("old"))
    groups.set_forbidden("old", "T", 2, True)
    version = DataVersion(3, 9, 77)
    groups.replace({"g": SubscriptionGroupConfig("g", retry_max_times=2)}, {"g": {"T": 4}}, version)
    again = table(files)
    # Those of the system are added at a start.
    assert {name for name in again.configs if name not in table().configs} == {"g"}
    assert groups.configs == {"g": again.configs["g"]}
    assert again.configs["g"].retry_max_times == 2
    assert (again.forbidden, again.version, groups.version) == ({"g": {"T": 4}}, version, version)
    assert groups.is_forbidden("g", "T", 2)


def test_a_full_disk_lets_groups_be_taken_again() -> None:
    files = MemoryFiles()
    groups = table(files)
    before = groups.version
    files.refuse = OSError(errno.ENOSPC, "no space")
    with pytest.raises(OSError, match="no space"):
        groups.replace({"g": SubscriptionGroupConfig("g")}, {}, DataVersion(0, 9, 77))
    assert (groups.configs.keys(), groups.version) == ({"g"}, before)
