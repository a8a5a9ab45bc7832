"""Configuration files: the file, its backup, and what happens when neither is sound."""

import json

import pytest

from rmq.server.broker.meta.config_file import ConfigFile, ConfigFileError, MemberTexts, pretty_object
from rmq.wire import fastjson
from rmq.wire.bodies.topic import TopicConfig
from rmq.wire.declare import to_plain
from tests.kit.memory_files import MemoryFiles


def test_nothing_is_none() -> None:
    assert ConfigFile("a", MemoryFiles()).load(json.loads) is None


def test_the_file_comes_before_its_backup() -> None:
    assert ConfigFile("a", MemoryFiles({"a": b"[1]", "a.bak": b"[2]"})).load(json.loads) == [1]


@pytest.mark.parametrize("broken", [b"", b"  \n", b"[1"])
def test_a_broken_file_gives_way_to_its_backup(broken: bytes) -> None:
    assert ConfigFile("a", MemoryFiles({"a": broken, "a.bak": b"[2]"})).load(json.loads) == [2]


def test_a_missing_file_gives_way_to_its_backup() -> None:
    assert ConfigFile("a", MemoryFiles({"a.bak": b"[2]"})).load(json.loads) == [2]


def test_two_broken_files_are_an_error_that_names_both() -> None:
    with pytest.raises(ConfigFileError, match=r"a: the file is empty; a\.bak: .*Repair or remove the file"):
        ConfigFile("a", MemoryFiles({"a": b"", "a.bak": b"["})).load(json.loads)


def test_a_broken_file_without_backup_is_not_taken_for_a_new_broker() -> None:
    with pytest.raises(ConfigFileError, match="a: "):
        ConfigFile("a", MemoryFiles({"a": b"{"})).load(json.loads)


def test_save_writes_utf8() -> None:
    files = MemoryFiles()
    ConfigFile("a", files).save("Zürich")
    assert files.files == {"a": "Zürich".encode()}


def test_a_private_file_is_kept_so() -> None:
    files = MemoryFiles()
    ConfigFile("a", files, private=True).save("1")
    ConfigFile("b", files).save("2")
    assert files.private == {"a"}


def test_members_kept_as_text_read_as_if_the_whole_were_written() -> None:
    texts = MemberTexts(2)
    topics = [TopicConfig("A", attributes={"+x": '"\n'}), TopicConfig("B%|"), TopicConfig("C")]
    for topic in topics:
        texts.put(topic.topic_name, topic)
    texts.remove("C")
    texts.remove("unknown")
    texts.put("A", topics[0])
    assert texts.object() == f"{{\n\t\t{(members := texts.object()[4:-3])}\n\t}}"
    assert texts.size == len(members) - len(",\n\t\t")
    whole = {"version": {"counter": 1}, "table": {topic.topic_name: to_plain(topic) for topic in topics[:2]}}
    text = pretty_object((("version", {"counter": 1}), ("table", texts.object())))
    assert text == fastjson.dumps(whole, pretty=True)


def test_no_members_are_an_empty_object_as_fastjson_writes_it() -> None:
    assert pretty_object((("a", {}), ("b", MemberTexts(2).object()))) == fastjson.dumps({"a": {}, "b": {}}, pretty=True)
