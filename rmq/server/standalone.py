"""`rmq standalone`: a name server and a broker in one process, for development, tests and small installations.

With `--cluster` they are several, each in a process of its own (`rmq.server.clusters`), to learn and to test with.

Everything listens on the loopback address unless `--host` says otherwise. What the command line says comes before
what the configuration file says, and that before this program's own defaults.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rmq.server.commandline import EXIT_USAGE, Leave, Options, config_text, refuse
from rmq.server.loading import load
from rmq.settings.errors import SettingError
from rmq.settings.load import Loaded, load_broker, load_namesrv, parse_properties
from rmq.settings.model import BrokerSettings, NamesrvSettings
from rmq.wire.address import join_address

if TYPE_CHECKING:
    from rmq.server.broker.build import Broker
    from rmq.server.parts import BrokerPart, NamesrvPart

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_NAMESRV_PORT: Final = 9876
_ANY_HOST: Final = frozenset({"0.0.0.0", "::", ""})
_MAX_PORT: Final = 65535
_MAX_NAMESRVS: Final = 9

PAGE: Final = """\
usage: rmq standalone [--host H] [--namesrv-port P] [--broker-port P] [--store DIR] [-c FILE] [--demo]
       rmq standalone --cluster MODE [--namesrvs N] [--host H] [--namesrv-port P] [--store DIR]
 --host H           address to listen on and to tell clients (127.0.0.1)
 --namesrv-port P   port of the name server (9876, in a cluster a free one); 0 lets the
                    system choose; several name servers have P, P+1 and so on
 --broker-port P    port of the broker (10911); 0 lets the system choose
 --store DIR        directory of the message store (~/store)
 -c,--configFile F  a broker's configuration file (.properties)
 --demo             send a first message, receive it, and show both
 --cluster MODE     several processes on free ports, as the samples in conf/ have them:
                    single, 2m-noslave, 2m-2s-async or 2m-2s-sync; each writes into a
                    directory of its own in DIR (~/rmq-clusters/MODE)
 --namesrvs N       number of the cluster's name servers (1)
 -h,--help          print help"""


Demo = Callable[[Any, str], Coroutine[Any, Any, None]]
"""A demonstration, given the reactor and the name server's address."""


class Composition:
    """A name server and a broker that belong together.

    Args:
        reactor: a Twisted reactor.
        namesrv: settings of the name server.
        text: a broker's `.properties` text.
        file: where that came from.
        overrides: broker keys that come before the text.

    Raises:
        SettingError: the broker's settings cannot be used.
    """

    def __init__(
        self, reactor: Any, namesrv: NamesrvSettings, text: str, file: str | None, overrides: dict[str, Any]
    ) -> None:
        from rmq.server.parts import BrokerPart, NamesrvPart

        self._reactor = reactor
        self._text, self._file, self._overrides = text, file, overrides
        self._host = namesrv.server.bind_address
        self.namesrv: NamesrvPart = NamesrvPart(reactor, namesrv)
        self.broker: BrokerPart = BrokerPart(self._make_broker)

    def _make_broker(self) -> Broker:
        from rmq.server.broker.build import Broker

        overrides = {**self._overrides, "namesrvAddr": self.namesrv_address}
        return Broker(self._reactor, broker_settings(self._text, self._file, overrides, self._host).settings)

    def run_demo(self, demo: Demo) -> None:
        """Runs a demonstration against the two servers, and says so when it fails."""
        from twisted.internet.defer import Deferred

        shown = Deferred.fromCoroutine(demo(self._reactor, self.namesrv_address))
        shown.addErrback(lambda failure: print(f"The demonstration failed: {failure.value}", file=sys.stderr))

    @property
    def namesrv_address(self) -> str:
        """The name server as clients of this machine or network reach it."""
        return join_address(_reachable(self._host), self.namesrv.server.port)


def broker_settings(text: str, file: str | None, overrides: dict[str, Any], host: str) -> Loaded[BrokerSettings]:
    """The broker's settings: overrides, then the text, then what fits a broker of one machine.

    Raises:
        SettingError: they cannot be used.
    """
    named = {entry.key for entry in parse_properties(text, file)}
    defaults = {"bindAddress": host, "brokerIP1": _reachable(host)}
    missing = {key: value for key, value in defaults.items() if key not in named}
    return load_broker(text, file=file, overrides={**missing, **overrides}, local_address=_reachable(host))


def namesrv_settings(host: str, port: int, **more: Any) -> NamesrvSettings:
    """The name server's settings; `more` are further keys."""
    return load_namesrv(overrides={"bindAddress": host, "listenPort": port, **more}).settings


def _reachable(host: str) -> str:
    if host not in _ANY_HOST:
        return host
    from rmq.server.launch import local_address

    return local_address()


def main(arguments: Sequence[str], demo: Demo) -> int:
    """The command `rmq standalone`; returns its exit code.

    Args:
        arguments: its words.
        demo: what `--demo` does once everything runs.
    """
    try:
        return _main(arguments, demo)
    except Leave as leave:
        return leave.exit_code


def _main(words: Sequence[str], demo: Demo) -> int:
    options = Options("rmq standalone", PAGE)
    options.add_argument("--host", default=DEFAULT_HOST)
    options.add_argument("--namesrv-port")
    options.add_argument("--broker-port")
    options.add_argument("--store")
    options.add_argument("-c", "--configFile")
    options.add_argument("--demo", action="store_true")
    options.add_argument("--cluster")
    options.add_argument("--namesrvs")
    given = options.read(words)
    if given.cluster is not None:
        return _cluster(given)
    if given.namesrvs is not None:
        raise _wrong("--namesrvs goes with --cluster only.")
    text = config_text(given.configFile)
    overrides: dict[str, Any] = {}
    if given.broker_port is not None:
        overrides["listenPort"] = _number("--broker-port", given.broker_port, 0, _MAX_PORT)
    if given.store is not None:
        overrides["storePathRootDir"] = given.store
        overrides["storePathCommitLog"] = f"{given.store}/commitlog"
    namesrv = namesrv_settings(given.host, _namesrv_port(given, DEFAULT_NAMESRV_PORT))
    try:
        loaded = broker_settings(text, given.configFile, overrides, given.host)
    except SettingError as error:
        raise refuse(error) from None

    load("rmq.server.broker.build", "rmq.server.namesrv.build")
    from rmq.server.processes import BROKER, NAMESRV
    from rmq.server.runner import run

    made: list[Composition] = []

    def make(reactor: Any) -> list[NamesrvPart | BrokerPart]:
        made.append(Composition(reactor, namesrv, text, given.configFile, overrides))
        return [made[0].namesrv, made[0].broker]

    def ready() -> None:
        address = made[0].namesrv_address
        print(f"rmq is ready: name server {address}, broker {made[0].broker.address}.", flush=True)
        print(f"Use it:       export NAMESRV_ADDR={address}", flush=True)
        if given.demo:
            made[0].run_demo(demo)

    return run(make, [NAMESRV, BROKER], ready=ready, remarks=loaded.warnings + loaded.notes)


def _cluster(given: argparse.Namespace) -> int:
    alone = {"--broker-port": given.broker_port, "-c": given.configFile, "--demo": given.demo or None}
    for name, value in alone.items():
        if value is not None:
            raise _wrong(f"{name} does not go with --cluster.")
    name_servers = 1 if given.namesrvs is None else _number("--namesrvs", given.namesrvs, 1, _MAX_NAMESRVS)
    directory = Path.home() / "rmq-clusters" / given.cluster if given.store is None else Path(given.store)

    from rmq.server.cluster_command import run_cluster

    return run_cluster(
        given.cluster,
        directory.absolute(),
        host=given.host,
        told=_reachable(given.host),
        name_servers=name_servers,
        namesrv_port=_namesrv_port(given, 0),
    )


def _namesrv_port(given: argparse.Namespace, default: int) -> int:
    return default if given.namesrv_port is None else _number("--namesrv-port", given.namesrv_port, 0, _MAX_PORT)


def _number(name: str, text: str, least: int, most: int) -> int:
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise _wrong(f"{name}={text} is not allowed; {name} must be a whole number from {least} to {most}.")
    return int(text)


def _wrong(sentence: str) -> Leave:
    print(sentence, file=sys.stderr)
    return Leave(EXIT_USAGE)
