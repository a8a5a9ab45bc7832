"""Mappings of static topics: what is taken, refused, kept and told."""

import json
from dataclasses import replace

import pytest

from rmq.server.broker.mapping import table as table_module
from rmq.server.broker.mapping.table import MappingTable
from rmq.server.broker.meta.config_file import ConfigFile
from rmq.wire.bodies.mapping import LogicQueueMappingItem as Item
from rmq.wire.bodies.mapping import TopicQueueMappingDetail
from rmq.wire.bodies.version import DataVersion
from rmq.wire.errors import InvalidParameterError, SystemBusyError
from rmq.wire.mapping import MappingError
from tests.kit.memory_files import MemoryFiles

NAME = "topicQueueMapping.json"


def table(files: MemoryFiles | None = None) -> MappingTable:
    made = MappingTable("broker-a", ConfigFile(NAME, files or MemoryFiles()), lambda: 1000)
    made.load()
    return made


def detail(epoch: int = 5, broker: str = "broker-a", **queues: list[Item]) -> TopicQueueMappingDetail:
    hosted = {int(name.removeprefix("q")): items for name, items in queues.items()}
    return TopicQueueMappingDetail("T", total_queues=2, bname=broker, epoch=epoch, hosted_queues=hosted)


def item(gen: int = 0, queue_id: int = 0, broker: str = "broker-a", logic: int = 0) -> Item:
    return Item(gen, queue_id, broker, logic)


def test_a_mapping_is_kept_as_apache_keeps_it() -> None:
    files = MemoryFiles()
    made = table(files)
    made.keep(made.accepted(detail(q0=[item()])))
    text = files.files[NAME].decode()
    assert text.startswith('{\n\t"dataVersion":{\n\t\t"counter":1,\n\t\t"stateVersion":0,\n\t\t"timestamp":1000\n')
    assert '"hostedQueues":{\n\t\t\t\t0:[\n' in text
    again = table(files)
    assert (again.details, again.version) == (made.details, made.version)
    assert again.registered()["T"].curr_id_map == {0: 0}
    assert again.registered(["T", "U"]) == again.registered()
    assert again.registered(["U"]) == {}


def test_another_brokers_mapping_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="the mapping is of broker x, this is broker-a"):
        table().accepted(detail(broker="x"))
    with pytest.raises(InvalidParameterError, match=r"the mapping is of broker x{80}, this is broker-a"):
        table().accepted(detail(broker="x" * 1000))
    with pytest.raises(InvalidParameterError, match="the mapping is of broker None, this is broker-a"):
        table().accepted(replace(detail(), bname=None))


def test_a_mapping_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_module, "MAX_LOGICAL_QUEUES", 1)
    with pytest.raises(InvalidParameterError, match="2 logical queues are more than 1"):
        table().accepted(detail(q0=[item()], q1=[item(queue_id=1)]))


def test_the_stretches_of_all_topics_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_module, "MAX_STRETCHES", 3)
    made = table()
    made.keep(made.accepted(detail(q0=[item()], q1=[item(queue_id=1)])))
    other = replace(detail(q0=[item()], q1=[item(queue_id=1)]), topic="U")
    with pytest.raises(SystemBusyError, match="no more than 3 stretches"):
        made.accepted(other)
    made.keep(made.accepted(detail(6, q0=[item(), replace(item(gen=1), logic_offset=10000)])))
    with pytest.raises(SystemBusyError, match="no more than 3 stretches"):
        made.accepted(replace(other, hosted_queues={0: [item()]}))


def test_names_have_a_bound() -> None:
    for wrong in (detail(q0=[item(broker="b" * 256)]), replace(detail(q0=[item()]), scope="s" * 256)):
        with pytest.raises(InvalidParameterError, match="a name of 256 characters is longer than 255"):
            table().accepted(wrong)


def test_contradictions_are_refused() -> None:
    with pytest.raises(MappingError, match="should not be negative"):
        table().accepted(detail(q0=[item(queue_id=-1)]))


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        (detail(epoch=4, q0=[item()]), "small epoch 4 < 5"),
        (replace(detail(q0=[item()]), scope="other"), "unmatched scope other != __global__"),
        (detail(epoch=5), "equal epoch with null data"),
        (detail(epoch=6, q0=[item(queue_id=1)]), "lies on another queue"),
    ],
)
def test_what_cannot_follow_is_refused_unless_it_is_forced(new: TopicQueueMappingDetail, reason: str) -> None:
    made = table()
    made.keep(made.accepted(detail(q0=[item()])))
    with pytest.raises(MappingError, match=reason):
        made.accepted(new)
    made.keep(made.accepted(new, force=True))
    assert made.details["T"].epoch == new.epoch


def test_queues_that_are_not_named_stay() -> None:
    made = table()
    made.keep(made.accepted(detail(q0=[item()])))
    made.keep(made.accepted(detail(epoch=6, q1=[item(queue_id=1)])))
    assert sorted(made.details["T"].hosted_queues) == [0, 1]


def test_a_mapping_is_forgotten() -> None:
    files = MemoryFiles()
    made = table(files)
    made.remove("T")
    assert NAME not in files.files
    made.keep(made.accepted(detail(q0=[item()])))
    made.remove("T")
    assert json.loads(files.files[NAME])["topicQueueMappingInfoMap"] == {}
    assert made.version.counter == 2


def test_another_brokers_mappings_in_place_of_the_own() -> None:
    files = MemoryFiles()
    made = table(files)
    made.keep(detail(q0=[item()]))
    details = made.details
    other = replace(detail(epoch=9, q1=[item(1)]), topic="U")
    made.replace({"U": other}, DataVersion(0, 9, 77))
    # Whoever looks into the table goes on seeing it.
    assert details == {"U": other}
    again = table(files)
    assert (again.details, again.version) == ({"U": other}, DataVersion(0, 9, 77))
    files.refuse = OSError("full")
    with pytest.raises(OSError, match="full"):
        made.replace({}, DataVersion(0, 10, 78))
    assert made.version == DataVersion(0, 9, 77)
