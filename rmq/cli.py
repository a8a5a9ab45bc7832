"""The command `rmq`, and the few programs that are only other names of its parts.

Nothing is imported before it is known what is wanted: `rmq admin` must not pay for a server's imports.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

Program = Callable[[Sequence[str]], int]

EXIT_USAGE: Final = 1

PAGE: Final = """\
usage: rmq COMMAND [options]

  standalone    a name server and a broker in one process (try: rmq standalone --demo), or with --cluster several
  namesrv       a name server, as mqnamesrv
  broker        a broker, as mqbroker
  shutdown      end running servers, as mqshutdown: rmq shutdown broker|namesrv
  admin         administration, as mqadmin: rmq admin topicList -n 127.0.0.1:9876
  tui           a cluster live in the terminal, as mqtui, or in a browser (try: rmq tui --demo)
  quickstart    send or receive messages: rmq quickstart producer|consumer

  -h,--help     this page; rmq COMMAND --help tells more
  --version     version"""

_QUICKSTART_PAGE: Final = "usage: rmq quickstart producer|consumer [options]"
_TOOLS_PAGE: Final = "usage: tools.sh org.apache.rocketmq.example.quickstart.Producer|Consumer [options]"
_EXAMPLES: Final = "org.apache.rocketmq.example.quickstart."
_ADMIN_CLASS: Final = "org.apache.rocketmq.tools.command.MQAdminStartup"


def _standalone(words: Sequence[str]) -> int:
    from rmq.server.standalone import main

    async def demo(reactor: Any, namesrv_addr: str) -> None:
        from rmq.quickstart.demo import demo as show

        await show(reactor, namesrv_addr)

    return main(words, demo)


def _namesrv(words: Sequence[str]) -> int:
    from rmq.server.launch import namesrv_main

    return namesrv_main(words)


def _broker(words: Sequence[str]) -> int:
    from rmq.server.launch import broker_main

    return broker_main(words)


def _shutdown(words: Sequence[str]) -> int:
    from rmq.server.processes import main

    return main(words)


def _admin(words: Sequence[str]) -> int:
    from rmq.admin.cli import main

    return main(words)


def tui(arguments: Sequence[str] | None = None) -> int:
    """The program `mqtui`: the terminal interface, which can end brokers of this machine."""
    from rmq.server.processes import LocalBrokers
    from rmq.tui.launch import main

    return main(arguments, local=LocalBrokers())


def _producer(words: Sequence[str]) -> int:
    from rmq.quickstart.producer import main

    return main(list(words))


def _consumer(words: Sequence[str]) -> int:
    from rmq.quickstart.consumer import main

    return main(list(words))


def _quickstart(words: Sequence[str]) -> int:
    return _choose({"producer": _producer, "consumer": _consumer}, words, "rmq quickstart", _QUICKSTART_PAGE)


_COMMANDS: Final[dict[str, Program]] = {
    "standalone": _standalone,
    "namesrv": _namesrv,
    "broker": _broker,
    "shutdown": _shutdown,
    "admin": _admin,
    "tui": tui,
    "quickstart": _quickstart,
}

_CLASSES: Final[dict[str, Program]] = {
    f"{_EXAMPLES}Producer": _producer,
    f"{_EXAMPLES}Consumer": _consumer,
    _ADMIN_CLASS: _admin,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The program `rmq`; returns its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] == "--version":
        from rmq import __version__
        from rmq.server.store.fast import way

        print(f"rmq {__version__} (store: {way()})")
        return 0
    return _choose(_COMMANDS, words, "rmq", PAGE)


def tools(arguments: Sequence[str] | None = None) -> int:
    """The program `tools.sh`: runs what stands for one of Apache's Java classes."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    return _choose(_CLASSES, words, "tools.sh", _TOOLS_PAGE)


def _choose(programs: dict[str, Program], words: Sequence[str], program: str, page: str) -> int:
    if not words or words[0] in {"-h", "--help", "help"}:
        print(page)
        return 0 if words else EXIT_USAGE
    chosen = programs.get(words[0])
    if chosen is not None:
        return chosen(words[1:])
    from difflib import get_close_matches

    near = get_close_matches(words[0], programs, n=1, cutoff=0.6)
    hint = f"did you mean {program} {near[0]}?" if near else f"it knows {', '.join(programs)}."
    print(f"{program} does not know {words[0]!r:.200}; {hint}", file=sys.stderr)
    return EXIT_USAGE
