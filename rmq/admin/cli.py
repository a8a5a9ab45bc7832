"""The mqadmin program.

It imports what one command needs and nothing else: most of a command's time is imports.

Source: MQAdminStartup.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Final

from rmq.admin.declare import find, summaries
from rmq.admin.errors import DONE, FAILED, INTERRUPTED, WRONG_USAGE
from rmq.admin.running import Use, complain, guarded, show_page, understood
from rmq.admin.specials import SPECIALS


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _open_streams()
    try:
        code = _dispatch(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does. Python must not try to flush at exit.
        sys.stderr.close()
        return FAILED
    except OSError as error:
        # Standard output takes no more: its disk is full.
        sys.stderr.write(f"mqadmin: {error.strerror or error}\n")
        return FAILED
    return code


def _open_streams() -> None:
    """Opens the standard streams that whoever started us has closed: nothing is read, what is written is lost."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115


def _dispatch(words: list[str]) -> int:
    if not words:
        return show_list()
    if not is_text(words):
        return WRONG_USAGE
    special = _SPECIAL.get(words[0])
    if special is not None:
        return special(words[1:])
    use = use_of(words)
    return use if isinstance(use, int) else _alone(use)


def is_text(words: Sequence[str]) -> bool:
    """Whether the words were given in UTF-8; complains if they were not."""
    try:
        "".join(words).encode()
    except UnicodeEncodeError:
        complain("the command line is not UTF-8")
        return False
    return True


def use_of(words: Sequence[str], namesrv: str | None = None) -> Use | int:
    """What a command line means, or the exit code when there is nothing to run; see `running.understood`."""
    command = find(words[0])
    return _unknown(words[0]) if command is None else understood(command, words[1:], namesrv)


def _alone(use: Use) -> int:
    import asyncio

    from rmq.client.admin.session import DEFAULT_TIMEOUT
    from rmq.client.credentials import CredentialsError, tools_credentials
    from rmq.remoting.aio import AsyncioClient

    try:
        credentials = tools_credentials()
    except CredentialsError as error:
        complain(f"{use.command.name}: {error}")
        return WRONG_USAGE

    async def run() -> int:
        client = AsyncioClient(connect_timeout=use.timeout or DEFAULT_TIMEOUT, credentials=credentials)
        try:
            return await guarded(use, client)
        finally:
            await client.close()

    return asyncio.run(run())


def show_help(words: Sequence[str]) -> int:
    """`help` and `help COMMAND`."""
    if not words or words[0] in {"-h", "--help", "help"}:
        return show_list()
    if words[0] in SPECIALS:
        return _SPECIAL[words[0]](["-h"])
    command = find(words[0])
    if command is None:
        return _unknown(words[0])
    show_page(command)
    return DONE


def show_list() -> int:
    """Prints the names of all commands."""
    out = sys.stdout.write
    out("The most commonly used mqadmin commands are:\n")
    for name, summary in summaries().items():
        out(f"   {name:<35} {summary}\n")
    out("\nBeside them:\n")
    for name, summary in SPECIALS.items():
        out(f"   {name:<35} {summary}\n")
    out("\nSee 'mqadmin help <command>' for more information on a specific command.\n")
    return DONE


def _unknown(name: str) -> int:
    from difflib import get_close_matches

    sys.stdout.write(f"The sub command {name} not exist.\n")
    known = {known.lower(): known for known in (*summaries(), *SPECIALS)}
    near = [other for other in known.values() if _parts(other) == _parts(name)]
    near += [known[match] for match in get_close_matches(name.lower(), known, n=3, cutoff=0.7)]
    advice = f"Did you mean {' or '.join(near)}?" if near else "All commands: mqadmin help."
    complain(f"unknown command {name}. {advice}")
    return WRONG_USAGE


def _completion(words: Sequence[str]) -> int:
    from rmq.admin.completion import show_script

    return show_script(words)


def _complete(words: Sequence[str]) -> int:
    from rmq.admin.completion import show_completions

    return show_completions(words)


def _shell(words: Sequence[str]) -> int:
    from rmq.admin.shell import shell

    return shell(words)


def _parts(name: str) -> list[str]:
    """The words that a name is made of, so that `topicDelete` finds `deleteTopic`."""
    spaced = "".join(f" {letter}" if letter.isupper() else letter for letter in name)
    return sorted(spaced.lower().split())


_SPECIAL: Final[dict[str, Callable[[Sequence[str]], int]]] = {
    "help": show_help,
    "-h": show_help,
    "--help": show_help,
    "completion": _completion,
    "shell": _shell,
    "__complete": _complete,
}
"""What is no command of a cluster; see `SPECIALS` for what each does."""


if __name__ == "__main__":
    raise SystemExit(main())
