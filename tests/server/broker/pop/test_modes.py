"""Modes of groups and their file."""

import pytest

from rmq.server.broker.meta.config_file import ConfigFile
from rmq.server.broker.pop import modes
from rmq.server.broker.pop.modes import ModeTable
from rmq.wire.bodies.assignment import MessageRequestMode, MessageRequestModeBody, MessageRequestModes
from rmq.wire.errors import SystemBusyError
from tests.kit.broker import settings_of
from tests.kit.memory_files import MemoryFiles

POP = MessageRequestModeBody("T", "G", MessageRequestMode.POP, 2)


def test_modes_are_kept() -> None:
    files = MemoryFiles()
    table = ModeTable(settings_of(), ConfigFile("modes.json", files))
    table.load()
    table.put("T", "G", POP)
    assert files.files["modes.json"] == (
        b'{\n\t"messageRequestModeMap":{\n\t\t"T":{\n\t\t\t"G":{\n\t\t\t\t"consumerGroup":"G",\n\t\t\t\t"mode":"POP",\n'
        b'\t\t\t\t"popShareQueueNum":2,\n\t\t\t\t"topic":"T"\n\t\t\t}\n\t\t}\n\t}\n}'
    )
    again = ModeTable(settings_of(), ConfigFile("modes.json", files))
    again.load()
    assert again.of("T", "G") == POP
    assert again.all().message_request_mode_map == {"T": {"G": POP}}


def test_their_number_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modes, "MOST_MODES", 2)
    table = ModeTable(settings_of(), ConfigFile("modes.json", MemoryFiles()))
    for group in ("G", "H", "G"):
        table.put("T", group, POP)
    with pytest.raises(SystemBusyError, match="keeps the modes of 2 pairs"):
        table.put("T", "I", POP)


def test_defaults() -> None:
    table = ModeTable(settings_of(), ConfigFile("modes.json", MemoryFiles()))
    assert table.of("T", "G") == MessageRequestModeBody("T", "G", MessageRequestMode.PULL, 0)
    settings = settings_of(defaultMessageRequestMode="POP", defaultPopShareQueueNum="3")
    table = ModeTable(settings, ConfigFile("modes.json", MemoryFiles()))
    assert table.of("T", "G") == MessageRequestModeBody("T", "G", MessageRequestMode.POP, 3)
    assert table.of("%RETRY%G", "G") == MessageRequestModeBody("%RETRY%G", "G", MessageRequestMode.PULL, 0)


def test_another_brokers_modes_in_place_of_the_own() -> None:
    files = MemoryFiles()
    table = ModeTable(settings_of(), ConfigFile("modes.json", files))
    table.put("OLD", "G", POP)
    modes_of_other = MessageRequestModes({"T": {"G": POP}})
    files.refuse = OSError("full")
    with pytest.raises(OSError, match="full"):
        table.assign(modes_of_other)
    files.refuse = None
    table.assign(modes_of_other)
    written = files.files["modes.json"]
    table.assign(MessageRequestModes({"T": {"G": POP}}))
    assert files.files["modes.json"] is written
    again = ModeTable(settings_of(), ConfigFile("modes.json", files))
    again.load()
    assert again.all() == table.all() == modes_of_other
