"""Writes docs/config.md from the declarations: `python -m rmq.settings.document [FILE]`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from rmq.settings.broker import BrokerConfig
from rmq.settings.ignored import GROUPS, ignored_options
from rmq.settings.namesrv import NamesrvConfig
from rmq.settings.option import Option, options_of, text_of
from rmq.settings.remoting import ClientConfig, ServerConfig
from rmq.settings.store import StoreConfig
from rmq.settings.update import ALWAYS_FORBIDDEN

_SECTIONS = (
    ("namesrv", "Name server", NamesrvConfig),
    ("broker", "Broker", BrokerConfig),
    ("store", "Message store and replication (broker)", StoreConfig),
    ("server", "Listening (both)", ServerConfig),
    ("client", "Calling (both)", ClientConfig),
)

_HEAD = """\
# Configuration

Made by `python -m rmq.settings.document` from the declarations in `rmq/settings`; do not edit.

`mqnamesrv -c FILE` and `mqbroker -c FILE` read a `.properties` file with Apache RocketMQ's keys; `conf/` holds samples.
`-p` prints the configuration that results and ends, `mqbroker -m` prints the important part of it. Without a file
the defaults below are in effect, which are those of Apache RocketMQ 5.4.0.

- A bad value stops the start and says file, line, key and what is allowed.
- A key that nothing knows is reported with the known key that looks most like it, and has no effect.
- A key that is [accepted and ignored](#accepted-and-ignored) is reported only if it is set to something else than
  its default.
- `mqadmin updateBrokerConfig` and `updateNamesrvConfig` change a key of a running server. Where the tables say *at
  once* the change takes effect immediately; any other key waits for a restart, and *file only* is refused. The file
  given with `-c` is then rewritten with the whole configuration, as Apache does: comments in it are lost.
- `mqnamesrv` and `mqbroker` listen on every interface, as Apache's do; `rmq standalone` listens on 127.0.0.1 only.
- A broker also listens, at the same address, on `haListenPort` for slaves and on `listenPort` - 2, where Apache's ask.
- `NAMESRV_ADDR` names the name servers for every command; `-n` and the file go before it.
- `RMQ_LOG_DIR` is where a server's log files go, instead of `~/logs/rocketmqlogs`.
"""


def render() -> str:
    """The whole manual."""
    return "\n".join([_HEAD, *_sections(), *_ignored()])


def _sections() -> Iterator[str]:
    for _, title, declared in _SECTIONS:
        yield f"## {title}\n"
        yield "| key | default | allowed | change | meaning |"
        yield "|---|---|---|---|---|"
        for option in options_of(declared):
            cells = (_names(option), _default(option), _allowed(option), _change(option), _cell(option.help))
            yield f"| {' | '.join(cells)} |"
        yield ""


def _ignored() -> Iterator[str]:
    yield "## Accepted and ignored\n"
    yield "Apache's keys without an effect here, so that a foreign file loads and listings show the same keys."
    yield "Where a reason starts with *refused*, another value than the default stops the start.\n"
    yield "| keys | why |"
    yield "|---|---|"
    for group in GROUPS:
        known = {option.key for option in ignored_options(group.section)}
        entries = [entry.partition("=")[0] for entry in group.rows.split()]
        keys = ", ".join(f"`{key}`" for key in entries if key in known)
        reason = f"*Refused* because {group.refused}." if group.refused else group.reason
        yield f"| {keys} | {_cell(reason)} |"
    yield ""


def _names(option: Option) -> str:
    return f"`{option.key}`" + "".join(f" (also `{alias}`)" for alias in option.aliases)


def _default(option: Option) -> str:
    if option.shown is not None:
        return _cell(option.shown)
    text = text_of(option.default)
    return f"`{_cell(text)}`" if text else "not set"


def _allowed(option: Option) -> str:
    if option.refused is not None:
        return f"only `{text_of(option.default)}`: {_cell(option.refused)}"
    if option.kind is not int or option.choices:
        return option.allowed()
    unit = f" {option.unit}" if option.unit else ""
    if option.maximum is None:
        return f"{option.minimum} or more{unit}"
    return f"{option.minimum} to {option.maximum}{unit}"


def _change(option: Option) -> str:
    if any(option.key in keys for keys in ALWAYS_FORBIDDEN.values()):
        return "file only"
    return "at once" if option.dynamic else "restart"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(arguments: list[str]) -> int:
    """Write the manual to the file named, docs/config.md by default."""
    Path(arguments[0] if arguments else "docs/config.md").write_text(render(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
