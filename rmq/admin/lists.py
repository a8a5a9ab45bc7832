"""Commands that hand a list of configurations in a file to brokers."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from rmq.admin.errors import CommandLineError
from rmq.admin.output import Report
from rmq.wire.errors import RemotingError

if TYPE_CHECKING:
    from rmq.admin.declare import Call
    from rmq.client.admin.session import Admin

T = TypeVar("T")


async def submit_list(
    call: Call, kind: type[T], what: str, create: Callable[[Admin, str, list[T]], Awaitable[None]], *, said: str
) -> tuple[Report, list[T]]:
    """Hands the list in the file of `-f` to the broker of `-b`, or to the masters of the cluster of `-c`.

    Args:
        kind: class of an item.
        what: name of an item in errors.
        create: gives a broker the whole list.
        said: what Apache calls the list in the sentence for each broker.

    Raises:
        CommandLineError: the file holds no such list.
    """
    from rmq.admin.targets import done_on_each, masters_in

    report = Report()
    path = call.required("f")
    if not os.path.exists(path):
        report.say(f"the file path {path} does not exists")
        report.refusal = f"there is no file {path}"
        return report, []
    items = _items(path, kind, what)
    report.put(brokers=[])
    if not items:
        return report, []
    address = call.text("b")
    addresses = [address] if address is not None else await masters_in(call, report, call.required("c"))
    for target, _ in await done_on_each(call, report, addresses, lambda target: create(call.admin, target, items)):
        report.say(f"submit batch of {said} config to {target} success, please check the result later.")
        report.add("brokers", target)
    return report, items


def _items(path: str, kind: type[T], what: str) -> list[T]:
    from rmq.admin.files import read_array
    from rmq.wire.declare import from_plain

    try:
        return [from_plain(kind, item, f"{what} {number}") for number, item in enumerate(read_array(path), 1)]
    except RemotingError as error:
        raise CommandLineError(f"{path}: {error.remark}") from None
