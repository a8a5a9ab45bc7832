"""The brokers that a change is about, and one job done on each of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from rmq.client.admin.clusters import Replica, replicas, replicas_of
from rmq.client.admin.errors import UnknownBrokerError
from rmq.tui.service.changes.change import Item
from rmq.tui.service.changes.places import Place
from rmq.tui.service.live.changes.doer import Done
from rmq.tui.service.live.known import Known
from rmq.tui.service.problems import problem_of
from rmq.wire.errors import RemotingError

T = TypeVar("T")


async def targets(known: Known, place: Place, *, slaves: bool = False) -> list[Replica]:
    """The masters of a cluster, its slaves too if wanted, or the one broker.

    Raises:
        UnknownClusterError, UnknownBrokerError: there is none of that name or address.
    """
    if place.broker:
        found = await replicas(known.admin)
        chosen = [replica for replica in found if replica.address == place.broker]
        if not chosen:
            raise UnknownBrokerError(place.broker, [replica.address for replica in found])
        return chosen[:1]
    return [replica for replica in await replicas(known.admin, place.cluster) if slaves or replica.is_master]


async def all_targets(known: Known) -> list[Replica]:
    """Every broker of every cluster, masters and slaves."""
    return replicas_of(await known.info.get(""))


async def on_each(
    known: Known, where: Sequence[Replica], job: Callable[[Replica], Awaitable[str]], done: Done
) -> list[Item]:
    """Does a job on each broker, side by side; what one fails at does not keep the others.

    Args:
        known: the session.
        where: the brokers.
        job: does it, and says what became of it.
        done: is told of each.
    """
    return await each_named(known, [(replica.broker_name, replica) for replica in where], job, done)


async def each_named(
    known: Known, jobs: Sequence[tuple[str, T]], job: Callable[[T], Awaitable[str]], done: Done
) -> list[Item]:
    """As `on_each`, of anything that has a name."""

    async def one(pair: tuple[str, T]) -> Item:
        name, what = pair
        try:
            item = Item(name, True, await job(what))
        except RemotingError as error:
            item = Item(name, False, str(problem_of(error)))
        done(item)
        return item

    return await known.admin.each(jobs, one)


def compared(
    where: Sequence[Replica],
    answers: Sequence[T | RemotingError | None],
    missed: Callable[[T], Sequence[tuple[str, str, str]]],
    said: Callable[[T], str],
) -> tuple[int, list[str]]:
    """How many brokers have what they should, and a line for each about what it has.

    Args:
        where: the brokers.
        answers: what each has, why that cannot be told, or None when it has nothing.
        missed: what is not as it should be: name, value there, value wanted.
        said: tells in one line what a broker has.
    """
    lines, right = [], 0
    for replica, found in zip(where, answers, strict=True):
        if isinstance(found, RemotingError):
            lines.append(f"{replica.broker_name}: cannot be read back: {problem_of(found)}")
        elif found is None:
            lines.append(f"{replica.broker_name}: it is not there")
        else:
            differing = missed(found)
            right += not differing
            told = "".join(f", {name} is {old or '-'} and not {new or '-'}" for name, old, new in differing)
            lines.append(f"{replica.broker_name}: {said(found)}{told}")
    return right, lines


def silent(where: Sequence[Replica], answers: Sequence[object]) -> list[str]:
    """A warning for each broker that could not be asked."""
    return [
        f"{replica.broker_name} cannot be asked: {problem_of(answer)}"
        for replica, answer in zip(where, answers, strict=True)
        if isinstance(answer, RemotingError)
    ]
