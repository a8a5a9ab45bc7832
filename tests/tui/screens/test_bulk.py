"""Definitions of topics are written to a file."""

import json
import string
from pathlib import Path
from typing import Any

from rmq.tui.screens.bulk import BulkDialog, DefinitionsDialog
from rmq.tui.screens.lists import ListScreen
from rmq.tui.service.changes.definitions import Definitions, read
from rmq.tui.service.model import Problem
from tests.kit.tui.definitions import TOPICS
from tests.kit.tui_service import MASTER, FakeService, play, press, text_of, type_text

TYPED = string.printable.strip() + " é€"


def test_all_topics_and_marked_ones_are_written() -> None:
    saved: list[tuple[str, str]] = []

    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "b", "down", "enter")
        assert isinstance(pilot.app.screen, DefinitionsDialog)
        assert "3 topics, queues of all masters added up" in text_of(pilot)
        pilot.app.focused.value = ""
        await type_text(pilot, TYPED)
        assert pilot.app.focused.value == TYPED
        pilot.app.focused.value = "all.txt"
        await press(pilot, "enter")
        assert "the name must end with .json" in text_of(pilot)
        pilot.app.focused.value = "all.json"
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, ListScreen)
        await press(pilot, "space", "b")
        assert "export 1 marked topic of C1" in text_of(pilot)
        await press(pilot, "down", "enter", "enter")

    play(script, save=lambda path, text: saved.append((path.name, text)))
    assert [name for name, _ in saved] == ["all.json", "C1-topics.json"]
    assert read(saved[0][1]) == Definitions(TOPICS, True)
    assert list(json.loads(saved[1][1])["topicConfigTable"]) == ["audit"]


def test_what_cannot_be_told_is_asked_for_again_and_what_cannot_be_written_is_said() -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    async def script(pilot: Any, service: FakeService) -> None:
        service.problems["topic_definitions"] = Problem("no answer in time", MASTER)
        await press(pilot, "b", "down", "enter")
        assert f"{MASTER}: no answer in time, ctrl+r asks again" in text_of(pilot)
        await press(pilot, "enter")
        del service.problems["topic_definitions"]
        await press(pilot, "ctrl+r", "enter")
        assert "cannot be written: No space left on device" in text_of(pilot)

    play(script, save=full)


def test_read_only_leaves_the_export() -> None:
    async def script(pilot: Any, service: FakeService) -> None:
        await press(pilot, "b")
        assert isinstance(pilot.app.screen, BulkDialog)
        assert "import" not in text_of(pilot)
        assert "export all topics of C1" in text_of(pilot)
        await press(pilot, "escape", "n", "e", "D", "3", "n", "e", "D", "1", "w", "W", "K")
        assert isinstance(pilot.app.screen, ListScreen)

    play(script, read_only=True)
