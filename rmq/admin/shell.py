"""`mqadmin shell`: many commands over the same connections.

A line is a command line without `mqadmin`, split as a POSIX shell splits it; `#` begins a comment. `help` and `exit`
are the prompt's own. A failure ends a command, not the shell. On a terminal there are a history and completion; when
standard input is none, every line of it is a command, and the exit code is that of the last one that failed.

Lines of commands that take a password, or that are no commands, are not kept in the history.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from rmq.admin.cli import is_text, show_help, use_of
from rmq.admin.completion import FILES, ClusterNames, candidates, split_line
from rmq.admin.declare import find
from rmq.admin.errors import DONE, FAILED, INTERRUPTED, WRONG_USAGE
from rmq.admin.options import HELP, NAMESRV
from rmq.admin.parser import UsageError, parse
from rmq.admin.running import complain, guarded
from rmq.admin.specials import SPECIALS
from rmq.admin.usage import option_lines
from rmq.client.admin.dryrun import names_secret
from rmq.client.admin.session import DEFAULT_TIMEOUT
from rmq.client.credentials import CredentialsError, tools_credentials
from rmq.remoting.aio import AsyncioClient
from rmq.settings.environment import NamesrvAddressError, namesrv_addresses

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import CompleteEvent, Completion
    from prompt_toolkit.document import Document
    from prompt_toolkit.input import Input
    from prompt_toolkit.output import Output

HISTORY: Final = os.path.join("~", ".mqadmin_history")
_PROMPT: Final = "mqadmin> "
_ENDS: Final = frozenset({"exit", "quit"})
_OPTIONS: Final = (HELP, NAMESRV)


class Shell:
    """Runs lines.

    Args:
        client: calls servers; its connections are kept.
        namesrv: addresses of name servers for lines that have no `-n`.

    Attributes:
        ended: a line said so.
        failed: exit code of the last command that failed, else 0.
    """

    def __init__(self, client: AsyncioClient, namesrv: str | None = None) -> None:
        self._client = client
        self._namesrv = namesrv
        self.names = ClusterNames(client, namesrv)
        self.ended = False
        self.failed = DONE

    async def execute(self, line: str) -> int:
        """The exit code of a line."""
        code = await self._execute(line)
        sys.stdout.flush()
        self.failed = code or self.failed
        return code

    async def _execute(self, line: str) -> int:
        import shlex

        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            complain(f"shell: {error}")
            return WRONG_USAGE
        if not is_text(words):
            return WRONG_USAGE
        if words and words[0] == "mqadmin":
            del words[0]
        if not words:
            return DONE
        if words[0] in _ENDS:
            self.ended = True
            return DONE
        if words[0] == "help":
            return show_help(words[1:])
        if words[0] in SPECIALS:
            complain(f"shell: {words[0]} is not a command of the shell")
            return WRONG_USAGE
        use = use_of(words, self._namesrv)
        return use if isinstance(use, int) else await guarded(use, self._client)


def shell(words: Sequence[str]) -> int:
    """Runs the shell and returns its exit code."""
    try:
        options = parse(_OPTIONS, words)
        namesrv = options.get("n")
        namesrv_addresses(namesrv)
        credentials = tools_credentials()
    except (UsageError, NamesrvAddressError, CredentialsError) as error:
        complain(f"shell: {error}")
        return WRONG_USAGE
    if options.given("h"):
        _show_page()
        return DONE
    with asyncio.Runner() as runner:
        client = AsyncioClient(connect_timeout=DEFAULT_TIMEOUT, credentials=credentials)
        made = Shell(client, namesrv)
        try:
            if sys.stdin.isatty():
                _converse(runner, made)
                return DONE
            return _follow(runner, made, sys.stdin)
        finally:
            runner.run(client.close())


def _show_page() -> None:
    sys.stdout.write("usage: mqadmin shell [-h] [-n <arg>]\n")
    sys.stdout.writelines(f"{line}\n" for line in option_lines(_OPTIONS))
    sys.stdout.write(f"\n{SPECIALS['shell']} help lists the commands, exit or Ctrl-D ends.\n")


def _follow(runner: asyncio.Runner, made: Shell, lines: Iterable[str]) -> int:
    try:
        for line in lines:
            runner.run(made.execute(line))
            if made.ended:
                break
    except UnicodeDecodeError:
        complain("shell: standard input is not UTF-8")
        return FAILED
    return made.failed


def _converse(runner: asyncio.Runner, made: Shell) -> None:
    session = prompt_session(made)
    while not made.ended:
        try:
            # On the loop of the connections, so that one that ends meanwhile is noticed.
            line = runner.run(session.prompt_async())
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        try:
            runner.run(made.execute(line))
        except KeyboardInterrupt:
            made.failed = INTERRUPTED
            sys.stdout.write("\n")


def prompt_session(
    made: Shell, *, history: str = HISTORY, input: Input | None = None, output: Output | None = None
) -> PromptSession[str]:
    """The prompt: a line editor with history and completion.

    Args:
        made: knows the cluster.
        history: the file that keeps lines; `~` is the home directory.
        input: the keyboard; that of the process when None.
        output: the screen; that of the process when None.
    """
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer
    from prompt_toolkit.completion import Completion as Completed
    from prompt_toolkit.history import FileHistory

    class Discreet(FileHistory):
        def store_string(self, string: str) -> None:
            if not _secret(string):
                super().store_string(string)

    class ClusterCompleter(Completer):
        def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
            return ()

        async def get_completions_async(
            self, document: Document, complete_event: CompleteEvent
        ) -> AsyncGenerator[Completion, None]:
            words, partial = split_line(document.text_before_cursor)
            for found in await candidates(words, partial, made.names):
                if found.text != FILES:
                    yield Completed(found.text, -len(partial), display_meta=found.help)

    path = os.path.expanduser(history)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_APPEND, 0o600))
    except OSError:
        path = os.devnull
    return PromptSession(
        _PROMPT,
        history=Discreet(path),
        completer=ClusterCompleter(),
        complete_while_typing=False,
        input=input,
        output=output,
    )


def _secret(line: str) -> bool:
    """Whether a line may hold a secret: so may one whose command is misspelt."""
    words, _ = split_line(line + " ")
    command = find(words[words[0] == "mqadmin"]) if words and words != ["mqadmin"] else None
    return command is None or any("password" in option.long for option in command.options) or names_secret(line)
