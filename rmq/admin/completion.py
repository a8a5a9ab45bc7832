"""What may stand next on a command line.

The engine looks at the words before the one that is being typed: names of commands first, then options that were not
given yet, and after an option its values. Names of topics, groups, brokers and clusters are asked of the cluster,
within a second and silently: a completion that fails completes nothing.

The scripts of `mqadmin completion SHELL` call `mqadmin __complete SHELL LINE`, which prints a candidate a line in the
form that the shell wants, or `:files` where a file is wanted. The prompt of `mqadmin shell` uses the engine directly.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from rmq.admin.declare import Command, find, summaries
from rmq.admin.errors import DONE, WRONG_USAGE
from rmq.admin.options import NAMESRV, Group, Option
from rmq.admin.output import FORMATS
from rmq.admin.specials import SPECIALS

if TYPE_CHECKING:
    from rmq.client.admin.session import Admin
    from rmq.remoting.calls import Invoker

FILES: Final = ":files"
"""Stands for names of files, which the shell knows best."""
SHELLS: Final = ("bash", "zsh", "fish")

_PAGE: Final = f"""\
usage: mqadmin completion {"|".join(SHELLS)}

{SPECIALS["completion"]}
 bash   source <(mqadmin completion bash)
 zsh    source <(mqadmin completion zsh), after compinit
 fish   mqadmin completion fish > ~/.config/fish/completions/mqadmin.fish
"""
_PATIENCE: Final = 1.0
_TOPIC: Final = "topic"
_GROUP: Final = "group"
_ADDRESS: Final = "address"
_BROKER: Final = "broker"
_CLUSTER: Final = "cluster"
_FILE: Final = "file"
_KINDS: Final = {
    **dict.fromkeys(("topic", "topicName", "lmqParentTopic", "traceTopic"), _TOPIC),
    **dict.fromkeys(("groupName", "consumerGroup", "group", "consumer", "srcGroup", "destGroup"), _GROUP),
    **dict.fromkeys(("brokerAddr", "fromBroker", "toBroker"), _ADDRESS),
    **dict.fromkeys(("brokerName", "broker"), _BROKER),
    **dict.fromkeys(("clusterName", "cluster", "clusters"), _CLUSTER),
    **dict.fromkeys(("file", "filename", "filePath", "path", "brokerConfigPath"), _FILE),
}
"""What the value of an option is, by its long name."""

Names = Callable[[str, Sequence[str]], Awaitable[list[str]]]
"""Names of a kind, given the words of the command line."""


class Candidate(NamedTuple):
    """A word that may stand next, and what it means."""

    text: str
    help: str = ""


async def candidates(words: Sequence[str], partial: str, names: Names) -> list[Candidate]:
    """What the word that begins with `partial` may be.

    Args:
        words: the words before it, without the program's name.
        partial: what is typed of it.
        names: asks the cluster.
    """
    if not words:
        return _beginning(partial, [*_commands(), *(Candidate(name, help) for name, help in SPECIALS.items())])
    if words[0] == "help":
        return _beginning(partial, _commands()) if len(words) == 1 else []
    if words[0] == "completion":
        return _beginning(partial, map(Candidate, SHELLS)) if len(words) == 1 else []
    command = find(words[0])
    if command is None:
        return []
    option = _option(command, words[-1]) if len(words) > 1 else None
    if option is not None and not option.flag:
        return await _values(option, "", partial, words, names)
    name, equals, value = partial.partition("=")
    option = _option(command, name) if equals else None
    if option is not None:
        return await _values(option, f"{name}=", value, words, names)
    return _beginning(partial, _options(command, words))


def _beginning(partial: str, found: Sequence[Candidate] | Iterator[Candidate]) -> list[Candidate]:
    wanted = partial.lower()
    return [candidate for candidate in found if candidate.text.lower().startswith(wanted)]


def _commands() -> list[Candidate]:
    return [Candidate(name, summary) for name, summary in summaries().items()]


def _every_option(command: Command) -> list[Option]:
    own = list(command.options)
    taken = {option.short for option in own}
    # An option that every command has gives way to the command's own of that name.
    return own + [
        Option("", option.long, option.help, flag=option.flag) if option.short in taken else option
        for option in command.extras
    ]


def _spellings(option: Option) -> list[str]:
    long = option.long.strip()
    names = [f"-{option.short}"] if option.short else []
    # A long name with a blank inside cannot be typed without quotes.
    return [*names, f"--{long}"] if long and " " not in long else names


def _option(command: Command, word: str) -> Option | None:
    return next((option for option in _every_option(command) if word in _spellings(option)), None)


def _options(command: Command, words: Sequence[str]) -> Iterator[Candidate]:
    given = {option for word in words if (option := _option(command, word.partition("=")[0])) is not None}
    for item in command.declared:
        if isinstance(item, Group) and given.intersection(item.options):
            given.update(item.options)
    listed = [option for option in _every_option(command) if option not in given]
    for option in sorted(listed, key=lambda option: not option.required):
        for spelling in _spellings(option):
            yield Candidate(spelling, option.help)


async def _values(option: Option, before: str, partial: str, words: Sequence[str], names: Names) -> list[Candidate]:
    kind = _KINDS.get(option.long.strip(), "")
    if kind == _BROKER and "address" in option.help.lower():
        kind = _ADDRESS
    if option.long == "format":
        found = list(FORMATS)
    elif "true or false" in option.help:
        found = ["true", "false"]
    elif kind == _FILE:
        return [Candidate(FILES)]
    else:
        found = await names(kind, words) if kind else []
    return [Candidate(before + name) for name in found if name.startswith(partial)]


class ClusterNames:
    """Names that the cluster knows.

    Args:
        invoker: calls servers.
        namesrv: addresses of name servers, for a line that has none.
    """

    def __init__(self, invoker: Invoker, namesrv: str | None = None) -> None:
        self._invoker = invoker
        self._namesrv = namesrv

    async def __call__(self, kind: str, words: Sequence[str]) -> list[str]:
        """See `Names`; none when the cluster does not answer."""
        import asyncio

        from rmq.wire.errors import RemotingError

        try:
            async with asyncio.timeout(_PATIENCE):
                return sorted(set(await _asked(kind, self._session(words))))
        except (RemotingError, ValueError, TimeoutError):
            return []

    def _session(self, words: Sequence[str]) -> Admin:
        import asyncio

        from rmq.client.admin.aio import together
        from rmq.client.admin.session import Admin
        from rmq.settings.environment import namesrv_addresses

        return Admin(
            self._invoker,
            namesrv_addresses(_namesrv_of(words) or self._namesrv),
            together=together,
            now=lambda: 0,
            sleep=asyncio.sleep,
            choose=lambda count: 0,
            timeout=_PATIENCE,
        )


def _namesrv_of(words: Sequence[str]) -> str | None:
    spellings = _spellings(NAMESRV)
    for word, after in zip(words, [*words[1:], None], strict=False):
        name, equals, value = word.partition("=")
        if name in spellings:
            return value if equals else after
    return None


async def _asked(kind: str, admin: Admin) -> list[str]:
    from rmq.client.admin.clusters import cluster_info, replicas_of
    from rmq.client.admin.topics import topic_names
    from rmq.wire.names import DLQ_PREFIX, RETRY_PREFIX

    if kind == _TOPIC:
        return [name for name in await topic_names(admin) if not name.startswith((RETRY_PREFIX, DLQ_PREFIX))]
    if kind == _GROUP:
        return [name.removeprefix(RETRY_PREFIX) for name in await topic_names(admin) if name.startswith(RETRY_PREFIX)]
    info = await cluster_info(admin)
    if kind == _CLUSTER:
        return list(info.cluster_addr_table)
    if kind == _BROKER:
        return list(info.broker_addr_table)
    return [replica.address for replica in replicas_of(info)]


def split_line(line: str) -> tuple[list[str], str]:
    """The words of a line up to the cursor, and the one that is being typed; an open quote is closed."""
    import shlex

    line = line.removesuffix("\\")
    for closing in ("", '"', "'"):
        try:
            words = shlex.split(line + closing)
        except ValueError:
            continue
        if closing or (line and not line[-1].isspace()):
            return words[:-1], words[-1] if words else ""
        return words, ""
    return [], ""


def show_script(words: Sequence[str]) -> int:
    """`completion SHELL`: prints the script that a shell reads."""
    import sys
    from importlib.resources import files

    from rmq.admin.running import complain

    if list(words) in (["-h"], ["--help"]):
        sys.stdout.write(_PAGE)
        return DONE
    if len(words) != 1 or words[0] not in SHELLS:
        complain(f"completion: one of {', '.join(SHELLS)} is expected")
        return WRONG_USAGE
    sys.stdout.write(files("rmq.admin").joinpath("scripts", f"mqadmin.{words[0]}").read_text(encoding="utf-8"))
    return DONE


def show_completions(words: Sequence[str]) -> int:
    """`__complete SHELL LINE`: prints candidates in the form of a shell."""
    import asyncio
    import sys

    from rmq.client.credentials import CredentialsError, tools_credentials
    from rmq.remoting.aio import AsyncioClient

    if len(words) != 2 or words[0] not in SHELLS:
        return WRONG_USAGE
    shell, (before, partial) = words[0], split_line(words[1])
    try:
        credentials = tools_credentials()
    except CredentialsError:
        # The command itself will say what is wrong with the file.
        credentials = None

    async def run() -> list[Candidate]:
        client = AsyncioClient(connect_timeout=_PATIENCE, credentials=credentials)
        try:
            return await candidates(before[1:], partial, ClusterNames(client))
        finally:
            await client.close()

    for candidate in asyncio.run(run()):
        sys.stdout.write(_line(shell, candidate) + "\n")
    return DONE


def _line(shell: str, candidate: Candidate) -> str:
    if candidate.text == FILES or shell == "bash":
        return candidate.text
    if shell == "fish":
        return f"{candidate.text}\t{candidate.help}"
    return candidate.text.replace(":", "\\:") + (f":{candidate.help}" if candidate.help else "")
