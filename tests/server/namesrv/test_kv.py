"""The key-value configuration: what is kept, and what survives."""

import errno

import pytest

from rmq.server.namesrv import kv as kv_module
from rmq.server.namesrv.kv import KvConfig, KvFileError
from rmq.wire.errors import RemotingError
from tests.kit.memory_files import MemoryFiles


def loaded(files: MemoryFiles) -> KvConfig:
    config = KvConfig("kv.json", files)
    config.load()
    return config


def test_put_is_on_disk_in_apaches_form_and_is_read_again() -> None:
    files = MemoryFiles()
    config = loaded(files)
    config.put("ORDER_TOPIC_CONFIG", "T", "broker-a:8")
    config.put("other", "k", "v")
    assert files.files["kv.json"] == b'{"configTable":{"ORDER_TOPIC_CONFIG":{"T":"broker-a:8"},"other":{"k":"v"}}}'
    again = loaded(files)
    assert again.get("ORDER_TOPIC_CONFIG", "T") == "broker-a:8"
    assert again.table("other") == {"k": "v"}


def test_absent_things_are_none() -> None:
    config = loaded(MemoryFiles())
    assert config.get("ns", "k") is None
    assert config.table("ns") is None


def test_delete_keeps_the_namespace_and_passes_over_unknown_keys() -> None:
    files = MemoryFiles()
    config = loaded(files)
    config.put("ns", "k", "v")
    config.delete("ns", "k")
    config.delete("ns", "k")
    config.delete("nowhere", "k")
    assert config.table("ns") == {}
    assert files.files["kv.json"] == b'{"configTable":{"ns":{}}}'


def test_a_refused_write_changes_nothing() -> None:
    files = MemoryFiles()
    config = loaded(files)
    config.put("ns", "k", "old")
    files.refuse = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(RemotingError, match=r"cannot write kv\.json: No space left on device"):
        config.put("ns", "k", "new")
    with pytest.raises(RemotingError):
        config.delete("ns", "k")
    assert config.get("ns", "k") == "old"


def test_room_is_bounded_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kv_module, "MAX_BYTES", 10)
    config = loaded(MemoryFiles())
    config.put("ns", "k", "123456789")
    config.put("ns", "k", "987654321")
    with pytest.raises(RemotingError, match="no room for more than 10 characters"):
        config.put("ns", "x", "")
    config.delete("ns", "k")
    config.put("ns", "x", "123456789")


def test_a_damaged_file_is_replaced_by_its_backup() -> None:
    files = MemoryFiles({"kv.json": b"{", "kv.json.bak": b'{"configTable":{"ns":{"k":"v"}}}'})
    assert loaded(files).get("ns", "k") == "v"


def test_a_damaged_file_without_backup_stops_the_start() -> None:
    with pytest.raises(KvFileError, match=r"kv.json cannot be read: .*Mend or remove it"):
        loaded(MemoryFiles({"kv.json": b'{"configTable":{"ns":["k"]}}'}))
