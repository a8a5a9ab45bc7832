"""Example command lines: every one is understood, and the shortest has no word too many."""

import shlex

import pytest

from rmq.admin.declare import Command, every, find
from rmq.admin.examples import SAMPLES, required_options, shortest, written
from rmq.admin.parser import UsageError, parse
from rmq.admin.usage import examples

COMMANDS = every()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_example_is_understood(command: Command) -> None:
    for line, meaning in examples(command):
        words = shlex.split(line)
        assert words[0] == command.name
        parse(command.accepted, words[1:], command.extras)
        assert meaning == "" or meaning.endswith(".")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_nothing_that_is_declared_as_required_can_be_left_out(command: Command) -> None:
    for option in required_options(command):
        words = shortest(command)[1:]
        place = words.index(f"-{option.short}" if option.short else f"--{option.long}")
        del words[place : place + 2]
        try:
            given = parse(command.accepted, words)
        except UsageError:
            continue
        assert not any(map(given.given, command.needs_one_of))
        assert command.needs_one_of


def test_a_line_as_a_shell_takes_it() -> None:
    command = find("sendMessage")
    assert command is not None
    assert shortest(command) == ["sendMessage", "-t", "orders", "-p", "hello"]
    assert written(["sendMessage", "-p", "two words"]) == "mqadmin sendMessage -p 'two words'"


def test_no_sample_is_idle() -> None:
    assert set(SAMPLES) == {option.long.strip() for command in COMMANDS for option in required_options(command)}
