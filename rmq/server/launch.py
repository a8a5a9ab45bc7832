"""The programs `mqnamesrv` and `mqbroker`.

Source: NamesrvStartup, BrokerStartup.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from typing import Final

from rmq.server.commandline import Leave, Options, config_text, refuse
from rmq.server.loading import load
from rmq.server.processes import KEPT_VARIABLE
from rmq.settings.dump import lines
from rmq.settings.errors import SettingError
from rmq.settings.load import load_broker, load_namesrv

_NAMESRV_PAGE: Final = """\
usage: mqnamesrv [-c <arg>] [-h] [-n <arg>] [-p]
 -c,--configFile <arg>    Name server config properties file
 -h,--help                Print help
 -n,--namesrvAddr <arg>   Name server address list, eg: '192.168.0.1:9876;192.168.0.2:9876'
 -p,--printConfigItem     Print all config items"""

_BROKER_PAGE: Final = """\
usage: mqbroker [-c <arg>] [-h] [-m] [-n <arg>] [-p]
 -c,--configFile <arg>       Broker config properties file
 -h,--help                   Print help
 -m,--printImportantConfig   Print important config item
 -n,--namesrvAddr <arg>      Name server address list, eg: '192.168.0.1:9876;192.168.0.2:9876'
 -p,--printConfigItem        Print all config item"""

_ELSEWHERE: Final = ("192.0.2.1", 9)
"""An address of no machine: asking the system for the way there sends nothing and tells our own address."""


def namesrv_main(arguments: Sequence[str] | None = None) -> int:
    """The program `mqnamesrv`; returns its exit code."""
    try:
        return _namesrv(sys.argv[1:] if arguments is None else arguments)
    except Leave as leave:
        return leave.exit_code


def _namesrv(words: Sequence[str]) -> int:
    options = Options("mqnamesrv", _NAMESRV_PAGE)
    options.add_argument("-c", "--configFile")
    options.add_argument("-n", "--namesrvAddr")
    options.add_argument("-p", "--printConfigItem", action="store_true")
    given = options.read(words)
    try:
        loaded = load_namesrv(config_text(given.configFile), file=given.configFile)
    except SettingError as error:
        raise refuse(error) from None
    if given.printConfigItem:
        print(*lines(loaded.settings), sep="\n")
        return 0

    load("rmq.server.namesrv.build")
    from rmq.server.parts import NamesrvPart
    from rmq.server.runner import run

    return run(
        lambda reactor: [NamesrvPart(reactor, loaded.settings)],
        [NamesrvPart.role],
        remarks=loaded.warnings + loaded.notes,
    )


def broker_main(arguments: Sequence[str] | None = None) -> int:
    """The program `mqbroker`; returns its exit code."""
    try:
        return _broker(sys.argv[1:] if arguments is None else arguments)
    except Leave as leave:
        return leave.exit_code


def _broker(words: Sequence[str]) -> int:
    options = Options("mqbroker", _BROKER_PAGE)
    options.add_argument("-c", "--configFile")
    options.add_argument("-n", "--namesrvAddr")
    options.add_argument("-p", "--printConfigItem", action="store_true")
    options.add_argument("-m", "--printImportantConfig", action="store_true")
    given = options.read(words)
    overrides = {} if given.namesrvAddr is None else {"namesrvAddr": given.namesrvAddr}
    try:
        text = config_text(given.configFile)
        loaded = load_broker(text, file=given.configFile, overrides=overrides, local_address=local_address())
    except SettingError as error:
        raise refuse(error) from None
    if given.printConfigItem or given.printImportantConfig:
        print(*lines(loaded.settings, important=not given.printConfigItem), sep="\n")
        return 0

    load("rmq.server.broker.build")
    from rmq.server.parts import BrokerPart, broker_part
    from rmq.server.runner import run

    # Who started this one has chosen its ports, and can choose others.
    kept = bool(os.environ.get(KEPT_VARIABLE))
    return run(
        lambda reactor: [broker_part(reactor, loaded.settings, needs_all_ports=kept)],
        [BrokerPart.role],
        remarks=loaded.warnings + loaded.notes,
    )


def local_address() -> str:
    """This machine's address towards others, or loopback when it has none (NetworkUtil.getLocalAddress)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
