"""mqadmin as a process of its own, for the command line of the terminal interface.

A process can be ended at any time, and what it prints is what a shell would show. The one module of this part that
knows `rmq.admin`; it asks for the declarations of commands only.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from functools import cache
from typing import Final

from rmq.admin import declare
from rmq.admin.options import NAMESRV
from rmq.client.credentials import environment_of
from rmq.tui.service.model.commands import CommandKind, Ended
from rmq.wire.signing import Credentials

_CHUNK: Final = 16_384
_LINE: Final = 4_000
"""Characters of a line that are shown."""
_PATIENCE: Final = 2.0
"""Seconds that a process has to end after it was asked to."""


@cache
def summaries() -> Mapping[str, str]:
    """Every command's name and summary."""
    return declare.summaries()


@cache
def kind_of(name: str) -> CommandKind | None:
    """What a command is, whatever the case of its name; None when there is none."""
    command = declare.find(name)
    if command is None:
        return None
    asks = any(option.long == NAMESRV.long for option in command.options)
    return CommandKind(command.name, command.summary, command.changes, command.endless, asks)


async def lines_of(
    words: Sequence[str], nameservers: str, credentials: Credentials | None = None
) -> AsyncGenerator[str | Ended, None]:
    """Runs a command; its lines as they come, then how it ended. Closing the generator ends the process.

    Args:
        words: the command and its options.
        nameservers: `host:port` joined by `;`, for a command that is not told others.
        credentials: with what it signs its requests; those that it finds itself when None.
    """
    signing = {} if credentials is None else environment_of(credentials)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "rmq",
        "admin",
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "NAMESRV_ADDR": nameservers, "PYTHONUNBUFFERED": "1", **signing},
    )
    try:
        if process.stdout is not None:
            async for line in _split(process.stdout):
                yield line
        yield Ended(await process.wait())
    finally:
        await _end(process)


async def _split(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    while chunk := await stream.read(_CHUNK):
        *whole, rest = (rest + decoder.decode(chunk)).split("\n")
        for line in whole:
            yield _cut(line)
        if len(rest) > _LINE:
            # A line without an end must not fill the memory: what follows counts as another.
            yield _cut(rest)
            rest = ""
        # What is there already is read without waiting; others must have their turn.
        await asyncio.sleep(0)
    if rest:
        yield _cut(rest)


def _cut(line: str) -> str:
    line = line.rstrip("\r").expandtabs()
    return line if len(line) <= _LINE else f"{line[:_LINE]}… {len(line) - _LINE:,} characters more"


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _PATIENCE)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class LiveCommands:
    """See `protocol.Commands`."""

    _credentials: Credentials | None

    @property
    def address(self) -> str:
        """Name servers, `host:port` joined by `;`."""
        raise NotImplementedError

    def command_summaries(self) -> Mapping[str, str]:
        """See `AdminService.command_summaries`."""
        return summaries()

    def command_kind(self, name: str) -> CommandKind | None:
        """See `AdminService.command_kind`."""
        return kind_of(name)

    def run_command(self, words: Sequence[str]) -> AsyncGenerator[str | Ended, None]:
        """See `AdminService.run_command`."""
        return lines_of(words, self.address, self._credentials)
