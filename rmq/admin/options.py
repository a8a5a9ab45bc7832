"""Options of subcommands, declared.

An option is a short name, a long name, or both; it takes a value unless it is a flag. Options of which exactly one
(or at most one) may be given form a `Group`. The options that nearly every command has are functions here, so that
a declaration reads as a sentence: `@command("deleteTopic", topic(required=True), cluster(required=True))`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    Attributes:
        short: the name after one dash, or "" when there is only a long one.
        long: the name after two dashes. Some of Apache's end with a blank or hold one.
        help: what it means, for people.
        flag: takes no value.
        required: must be given. Inside a group the group says so.
        default: what holds when it is not given, for the manual.
    """

    short: str
    long: str
    help: str
    flag: bool = False
    required: bool = False
    default: str = ""

    @property
    def key(self) -> str:
        """The name that messages use."""
        return self.short or self.long


@dataclass(frozen=True, slots=True)
class Group:
    """Options that exclude each other; `required` when one of them must be given."""

    options: tuple[Option, ...]
    required: bool = True


Declaration = Option | Group

HELP: Final = Option("h", "help", "Show this page.", flag=True)
NAMESRV: Final = Option(
    "n",
    "namesrvAddr",
    "Name servers, host:port joined by ';'. The next one is asked when one does not answer.",
    default="NAMESRV_ADDR, else 127.0.0.1:9876",
)
STANDARD: Final = (HELP, NAMESRV)
"""What every command of Apache's accepts."""

_FORMAT_HELP: Final = "Output: text (as Apache prints it), json (one object) or csv (tables only)."
FORMAT: Final = Option("f", "format", _FORMAT_HELP, default="text")
LONG_FORMAT: Final = Option("", "format", _FORMAT_HELP, default="text")
"""The same for commands that use -f themselves."""
TIMEOUT: Final = Option("", "timeout", "Seconds that each request may take.", default="5")
DRY_RUN: Final = Option("", "dry-run", "Change nothing; show what would be sent or written instead.", flag=True)
WATCH: Final = Option("", "watch", "Seconds after which it is done again, until Ctrl-C.")
DEBUG: Final = Option("", "debug", "On failure show the Python traceback too.", flag=True)


def topic(*, required: bool = True, help: str = "Name of the topic.") -> Option:
    """`-t,--topic V`."""
    return Option("t", "topic", help, required=required)


def broker(help: str = "Address of the broker, host:port.", *, required: bool = False) -> Option:
    """`-b,--brokerAddr V`."""
    return Option("b", "brokerAddr", help, required=required)


def cluster(help: str = "Name of the cluster.", *, required: bool = False) -> Option:
    """`-c,--clusterName V`."""
    return Option("c", "clusterName", help, required=required)


def broker_or_cluster(broker_help: str, cluster_help: str) -> Group:
    """Exactly one of `-b,--brokerAddr V` and `-c,--clusterName V`."""
    return Group((broker(broker_help), cluster(cluster_help)))


def route_cluster() -> Option:
    """`-c,--cluster V` of commands that find brokers by a route."""
    return Option("c", "cluster", "Only brokers of this cluster; for an LMQ topic, the topic whose route is taken.")


def value(short: str, long: str, help: str, *, required: bool = False, default: str = "") -> Option:
    """An option with a value."""
    return Option(short, long, help, required=required, default=default)


def flag(short: str, long: str, help: str) -> Option:
    """An option without a value."""
    return Option(short, long, help, flag=True)
