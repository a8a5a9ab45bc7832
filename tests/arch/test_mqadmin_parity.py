"""Apache's mqadmin, release 5.4.0, is here as a whole: its 90 subcommands, and every option of each.

mqadmin_commands.txt lists the subcommands; tests/golden/options.json is what Apache's own pages say of their options.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from rmq.admin.declare import Command, every, names
from rmq.admin.options import Group
from tests.golden.record_options import RECORDING

APACHE = Path(__file__).with_name("mqadmin_commands.txt").read_text(encoding="utf-8").split()
OURS = ["consumerList", "importConfigs", "importMetadata"]
OPTIONS: dict[str, Any] = json.loads(RECORDING.read_text(encoding="utf-8"))


def test_the_list_is_apaches() -> None:
    assert len(APACHE) == len(set(APACHE)) == 90
    assert sorted(APACHE) == sorted(OPTIONS)


def test_every_command_is_there() -> None:
    assert set(APACHE) - set(names()) == set()
    assert set(names()) - set(APACHE) == set(OURS)


def test_commands_of_ours_say_so() -> None:
    assert sorted(command.name for command in every() if command.ours) == OURS


def of(command: Command) -> dict[str, Any]:
    """Its declarations, in the form of the recording."""
    groups = [item for item in command.accepted if isinstance(item, Group)]
    return {
        "options": sorted([option.short, option.long, not option.flag, option.required] for option in command.options),
        "groups": sorted(
            ({"options": sorted(option.key for option in item.options), "required": item.required} for item in groups),
            key=str,
        ),
    }


@pytest.mark.parametrize("command", [found for found in every() if not found.ours], ids=lambda command: command.name)
def test_every_option_is_there(command: Command) -> None:
    apache, here = OPTIONS[command.name], of(command)
    beyond = [option for option in here["options"] if option not in apache["options"]]
    assert sorted(option for option in here["options"] if option not in beyond) == sorted(apache["options"])
    assert here["groups"] == sorted(apache["groups"], key=str)
    # What is ours takes no short name, and makes no shortened name of Apache's unclear.
    initials = {long[:1] for _, long, _, _ in apache["options"]}
    assert [(short, required) for short, long, _, required in beyond if short or required or long[0] in initials] == []
