"""What the commands for users and rules share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from rmq.admin.declare import Call
from rmq.admin.errors import CommandLineError
from rmq.admin.output import Report
from rmq.admin.targets import done_on_each, replicas_in
from rmq.client.admin.auth import Copied
from rmq.wire.bodies.auth import canonical_resource, subject_user


async def change_on_each(call: Call, done: str, job: Callable[[str], Awaitable[None]]) -> Report:
    """Does something on the broker of `-b`, or on every broker of `-c`, slaves too.

    Args:
        call: has -b or -c.
        done: what was done, as the line for each broker begins.
        job: does it on the broker of this address.
    """
    report = Report()
    report.put(brokers=[])
    if call.given("b"):
        addresses = [call.required("b").strip()]
    else:
        addresses = [replica.address for replica in await replicas_in(call, report, call.required("c").strip())]
    for address, _ in await done_on_each(call, report, addresses, job):
        report.say(f"{done} to {address} success.")
        report.add("brokers", address)
    return report


def copied(what: str, outcomes: Sequence[Copied], source: str, target: str) -> Report:
    """What became of a copy, a line for each name."""
    report = Report()
    report.put(copied=[])
    for name, error in outcomes:
        if error is not None:
            report.fail(error)
        else:
            report.say(f"copy {what} of {name} from {source} to {target} success.")
            report.add("copied", name)
    return report


def words(text: str | None) -> list[str]:
    """The parts of a list that is joined by commas; empty ones are left out."""
    return [word.strip() for word in (text or "").split(",") if word]


def trimmed(call: Call, key: str) -> str | None:
    """An option's value without blanks around it, or None when it is not given."""
    value = call.text(key)
    return None if value is None else value.strip()


def needed(call: Call, key: str) -> str:
    """The same of an option without which nothing can be done although Apache's command does not require it.

    Raises:
        CommandLineError: it is not given.
    """
    value = trimmed(call, key)
    if not value:
        raise CommandLineError(f"-{key} is missing")
    return value


def user_named(subject: str) -> str:
    """The subject, which is a user.

    Raises:
        CommandLineError: it is no user.
    """
    if not subject_user(subject):
        raise CommandLineError(f"subject {subject}: User: and a name is expected, such as User:alice")
    return subject


def resources(text: str) -> list[str]:
    """Resources joined by commas.

    Raises:
        CommandLineError: one is none, or there is none.
    """
    found = words(text)
    for resource in found or [text]:
        if canonical_resource(resource) is None:
            raise CommandLineError(
                f"resource {resource}: * is expected, or a kind and a name such as Topic:Orders, Topic:Order* or "
                "Group:*; kinds are Topic, Group, Cluster and Namespace"
            )
    return found
