"""Brokers: what a change of settings, of a write permission or the end of a broker means, and that being done.

Apache's servers answer success to a key that they do not know; so what was taken is told by what they list afterwards.

Source: UpdateBrokerConfigSubCommand, WipeWritePermSubCommand, AddWritePermSubCommand, bin/mqshutdown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from rmq.client.admin.brokers import broker_config, update_broker_config
from rmq.client.admin.changing import means
from rmq.client.admin.clusters import Replica
from rmq.client.admin.namesrv import add_write_perm, wipe_write_perm
from rmq.client.admin.session import Admin
from rmq.client.errors import ClientError
from rmq.remoting.errors import TransportError
from rmq.tui.formats import plural
from rmq.tui.service.changes.brokers import AddWritePerm, ChangeBrokerSettings, ShutdownBroker, WipeWritePerm
from rmq.tui.service.changes.change import Item, Outcome, Preview
from rmq.tui.service.changes.settings import nearest, refused, shown, when
from rmq.tui.service.live.changes.doer import Doer, Done
from rmq.tui.service.live.changes.targets import all_targets, each_named, silent, targets
from rmq.tui.service.live.known import Known
from rmq.tui.service.problems import problem_of
from rmq.wire.bodies.route import TopicRouteData
from rmq.wire.bodies.topic import PERM_READ, PERM_WRITE, perm_text
from rmq.wire.errors import RemotingError, TopicNotExistError
from rmq.wire.requests.broker import GetBrokerRuntimeInfo
from rmq.wire.requests.route import GetRouteInfoByTopic

_SETTINGS: Final = ("BROKER", "SETTING", "NOW", "THEN", "IN EFFECT")
_ROUTES: Final = ("NAME SERVER", "NOW", "THEN")
_PATIENCE: Final = 10.0
"""Seconds that a broker has to go away before it is said that it has not yet."""
_STEP: Final = 0.2
Perm = int | None | RemotingError
"""A permission in a name server's routes, None when it knows no such route."""


# --- settings -------------------------------------------------------------------------------------------------------


async def preview_settings(known: Known, change: ChangeBrokerSettings) -> Preview:
    """Each setting on each broker, now and then."""
    where = await targets(known, change.place, slaves=change.slaves)
    answers = await known.admin.attempt_each(where, lambda replica: broker_config(known.admin, replica.address))
    warnings = silent(where, answers)
    rows: list[tuple[str, ...]] = []
    asked = 0
    for replica, had in zip(where, answers, strict=True):
        if isinstance(had, RemotingError):
            continue
        asked += 1
        for key, value in change.values:
            before = had.get(key)
            if before is None:
                warnings.append(_unknown(replica, key, had))
            if before is None or not means(value, before):
                now, then = ("-" if before is None else before or "''"), value or "''"
                rows.append((named(replica), key, shown(key, now), shown(key, then), when(key)))
    warnings += [f"{key}: {why}" for key, value in change.values if (why := refused(key, value))]
    refusal = "no broker can be asked" if not asked else "" if rows else "nothing would change"
    return Preview(_SETTINGS if rows else (), tuple(rows), (), tuple(dict.fromkeys(warnings)), refusal)


def named(replica: Replica) -> str:
    """A broker's name; with its address when it is a slave, since its master has the same name."""
    return replica.broker_name if replica.is_master else f"{replica.broker_name} ({replica.address})"


def _unknown(replica: Replica, key: str, had: Mapping[str, str]) -> str:
    near = nearest(key, had)
    hint = f"; did you mean {near}?" if near else ""
    return f"{named(replica)} lists no setting {key}{hint}"


async def change_settings(known: Known, change: ChangeBrokerSettings, done: Done) -> Outcome:
    """Sends all settings to each broker in one request, and reads them back."""
    where = await targets(known, change.place, slaves=change.slaves)
    wanted = dict(change.values)
    lines: dict[str, list[str]] = {}

    async def put(replica: Replica) -> str:
        before = await broker_config(known.admin, replica.address)
        await update_broker_config(known.admin, replica.address, wanted)
        after = await broker_config(known.admin, replica.address)
        lines[replica.address] = [f"{named(replica)}: {key} = {shown(key, after.get(key, '-'))}" for key in wanted]
        ignored = [key for key, value in wanted.items() if not _taken(before.get(key), value, after.get(key))]
        if ignored:
            raise ClientError(f"it answered success but did not take {', '.join(ignored)}")
        return f"took {plural(len(wanted), 'setting')}"

    items = await each_named(known, [(named(replica), replica) for replica in where], put, done)
    good = sum(item.ok for item in items)
    read = tuple(line for replica in where for line in lines.get(replica.address, ()))
    return Outcome(good == len(items), f"{good} of {plural(len(items), 'broker')} took it", tuple(items), read)


def _taken(before: str | None, wanted: str, after: str | None) -> bool:
    return after is not None and (means(wanted, after) or after != before)


# --- write permission -----------------------------------------------------------------------------------------------


async def _perms(known: Known, broker: str) -> list[Perm]:
    """Permission of the broker's own topic, which every broker has, in the routes of each name server."""

    async def ask(address: str) -> int | None:
        try:
            answer = await known.admin.call(address, GetRouteInfoByTopic(broker, True))
        except TopicNotExistError:
            return None
        datas = [data for data in answer.json(TopicRouteData).queue_datas if data.broker_name == broker]
        return datas[0].perm if datas else None

    return list(await known.admin.attempt_each(known.admin.nameservers, ask))


async def preview_wipe(known: Known, change: WipeWritePerm) -> Preview:
    """The permission in each name server, and whether producers have anywhere else to go."""
    masters = [replica for replica in await all_targets(known) if replica.is_master]
    mine = [replica for replica in masters if replica.broker_name == change.broker]
    if not mine:
        return Preview(refusal=f"no name server knows a broker {change.broker}")
    warnings = []
    if not any(r.cluster == mine[0].cluster and r.broker_name != change.broker for r in masters):
        warnings.append(f"{change.broker} is the only one of {mine[0].cluster}: producers have nowhere else to send")
    notes = ("all its topics; it lasts until the broker registers with something new, such as another topic",)
    return _preview_perms(known, await _perms(known, change.broker), ~PERM_WRITE, 0, notes, warnings)


async def preview_add(known: Known, change: AddWritePerm) -> Preview:
    """The permission in each name server."""
    if not any(replica.broker_name == change.broker for replica in await all_targets(known)):
        return Preview(refusal=f"no name server knows a broker {change.broker}")
    notes = ("all its topics become readable and writable in the routes, also those that were made otherwise",)
    return _preview_perms(known, await _perms(known, change.broker), 0, PERM_READ | PERM_WRITE, notes, [])


def _preview_perms(
    known: Known, perms: Sequence[Perm], kept: int, added: int, notes: tuple[str, ...], warnings: list[str]
) -> Preview:
    rows = []
    for address, now in zip(known.admin.nameservers, perms, strict=True):
        if isinstance(now, RemotingError):
            warnings.append(f"{address} cannot be asked: {problem_of(now)}")
        elif now is None:
            warnings.append(f"{address} does not know this broker's topics")
        else:
            rows.append((address, perm_text(now), perm_text(now & kept | added)))
    refusal = "" if rows else "no name server has routes of it"
    return Preview(_ROUTES if rows else (), tuple(rows), notes, tuple(warnings), refusal)


async def wipe(known: Known, change: WipeWritePerm, done: Done) -> Outcome:
    """Takes it in every name server, and reads one topic's route back."""
    return await _change_perm(known, change.broker, wipe_write_perm, done, 0)


async def add(known: Known, change: AddWritePerm, done: Done) -> Outcome:
    """Gives it in every name server, and reads one topic's route back."""
    return await _change_perm(known, change.broker, add_write_perm, done, PERM_READ | PERM_WRITE)


async def _change_perm(
    known: Known, broker: str, job: Callable[[Admin, str, str], Awaitable[int]], done: Done, wanted: int
) -> Outcome:
    async def one(address: str) -> str:
        return plural(await job(known.admin, address, broker), "topic")

    items = await each_named(known, [(address, address) for address in known.admin.nameservers], one, done)
    lines, good = [], 0
    for address, item, perm in zip(known.admin.nameservers, items, await _perms(known, broker), strict=True):
        lines.append(f"{address}: {_told(broker, perm)}")
        good += item.ok and isinstance(perm, int) and perm & (PERM_WRITE | wanted) == wanted
    text = f"{good} of {plural(len(items), 'name server')} as wanted"
    return Outcome(good == len(items), text, tuple(items), tuple(lines))


def _told(broker: str, perm: Perm) -> str:
    if isinstance(perm, RemotingError):
        return str(problem_of(perm))
    return f"the topic {broker} is {'not known' if perm is None else perm_text(perm)}"


# --- the end of a broker --------------------------------------------------------------------------------------------


async def preview_shutdown(known: Known, change: ShutdownBroker) -> Preview:
    """Whether it is one of ours on this machine, and who depends on it."""
    found = await asyncio.to_thread(known.local.find, change.address)
    if found is None:
        return Preview(
            refusal="it is no broker of ours that runs on this machine under this user: end it where it runs, with"
            " mqshutdown broker"
        )
    replicas = await all_targets(known)
    mine = [replica for replica in replicas if replica.broker_name == change.name]
    others = {replica.broker_name for replica in replicas if replica.is_master} - {change.name}
    warnings = []
    if not others:
        warnings.append("it is the only master: nobody can send or consume until it is started again")
    if len(mine) > 1:
        warnings.append("it has slaves: what they have not copied cannot be read while it is down")
    if len(found.roles) > 1:
        warnings.append(f"its process is also {' and '.join(set(found.roles) - {'broker'})}: that ends with it")
    rows = ((str(found.pid), ", ".join(found.roles), change.name, change.address),)
    note = "it stops as with mqshutdown broker: it takes no more requests, writes to disk what it has, and ends"
    return Preview(("PROCESS", "IS", "BROKER", "ADDRESS"), rows, (note,), tuple(warnings))


async def shutdown(known: Known, change: ShutdownBroker, done: Done) -> Outcome:
    """Asks its process to end, and waits a while until it has."""
    try:
        pid = await asyncio.to_thread(known.local.stop, change.address)
    except OSError as error:
        item = Item(change.name, False, f"cannot be signalled: {error.strerror or error}")
        done(item)
        return Outcome(False, item.text, (item,))
    if pid is None:
        return Outcome(False, "it is no longer there", (Item(change.name, False, "no such process"),))
    done(Item(change.name, True, f"process {pid} was asked to end"))
    waited = 0.0
    while waited < _PATIENCE:
        if await asyncio.to_thread(known.local.has_ended, pid):
            quiet = await _is_silent(known, change)
            line = f"process {pid} has ended, {change.address} {'answers no longer' if quiet else 'still answers'}"
            return Outcome(True, "it has ended", (Item(change.name, True, "ended"),), (line,))
        await known.admin.sleep(_STEP)
        waited += _STEP
    text = f"process {pid} was asked to end, and has not after {_PATIENCE:g} seconds"
    return Outcome(False, text, (Item(change.name, False, "still running"),))


async def _is_silent(known: Known, change: ShutdownBroker) -> bool:
    try:
        await known.admin.call(change.address, GetBrokerRuntimeInfo())
    except TransportError:
        return True
    except RemotingError:
        return False
    return False


DOERS = (
    Doer(ChangeBrokerSettings, preview_settings, change_settings),
    Doer(WipeWritePerm, preview_wipe, wipe),
    Doer(AddWritePerm, preview_add, add),
    Doer(ShutdownBroker, preview_shutdown, shutdown),
)
