"""Static topics: a fixed number of logical queues, which can move between brokers.

Source: org.apache.rocketmq.tools.command.topic.
"""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Final

from rmq.admin.declare import Call, command
from rmq.admin.errors import CommandLineError
from rmq.admin.options import Group, topic, value
from rmq.admin.output import Member, Report
from rmq.wire.errors import RemotingError

if TYPE_CHECKING:
    from rmq.client.admin.static_plan import Shares
    from rmq.wire.bodies.topic import TopicRemappingDetailWrapper

_BEFORE: Final = ".before"
_AFTER: Final = ".after"

_TARGETS: Final = Group(
    (
        value("c", "clusters", "Clusters whose brokers get queues, joined by commas."),
        value("b", "brokers", "Names of the brokers that get queues, joined by commas."),
    )
)
_MAP_FILE: Final = value(
    "mf", "mapFile", "Carry out the plan in this file, such as an .after file of an earlier call, instead of a new one."
)
_FORCE: Final = value(
    "fr", "forceReplace", "Let brokers take the plan whatever they hold (true or false).", default="false"
)
_DATA: Final = (
    Member("topic", "The topic."),
    Member("before", "File with what brokers held before; none with -mf."),
    Member("after", "File with the plan that was carried out."),
    Member("plan", "The plan, as the file holds it."),
)
_DIFFERS: Final = (
    "-mf carries out the plan in its file, and -fr true lets brokers take a plan whatever they hold; Apache's ignores"
    " both.",
    "A cluster that does not exist is a failure also where others are named.",
)


@command(
    "updateStaticTopic",
    "Create a static topic, or give it more queues.",
    _TARGETS,
    topic(),
    value("qn", "totalQueueNum", "Number of logical queues.", required=True),
    _MAP_FILE,
    _FORCE,
    data=_DATA,
    differs=(*_DIFFERS, "Broker names that do not exist are found out before the plan is written."),
    changes=True,
)
async def update_static_topic(call: Call) -> Report:
    """`updateStaticTopic`."""
    from rmq.client.admin import static_plan, static_topics

    report = Report()
    name, total = call.required("t"), call.number("qn", 0)
    if total <= 0:
        raise CommandLineError(f"-qn {total}: a number above 0 is expected")
    report.put(topic=name)
    path = call.text("mf")
    if path is not None:
        plan = _plan_in(path, name)
        if static_plan.check_shares(name, plan.broker_config_map)[1] != total:
            raise CommandLineError(f"{path} is no plan of {total} queues")
        await static_topics.put_plan(call.admin, plan, force=call.truth("fr"))
        _tell(report, plan)
        return report
    targets = await _targets(call)
    shares = await static_topics.shares_of(call.admin, name)
    epoch, _ = static_plan.check_shares(name, shares) if shares else (call.admin.now(), 0)
    before = _unchanged(name, epoch, shares)
    report.put(before=_write(call, report, before, _BEFORE, "old"))
    try:
        plan = static_plan.plan_queues(name, total, targets, shares, now=call.admin.now(), choose=call.admin.choose)
        await static_topics.check_masters(call.admin, plan.broker_config_map)
        report.put(after=_write(call, report, plan, _AFTER, "new"))
        await static_topics.put_plan(call.admin, plan, force=call.truth("fr"))
    except RemotingError as error:
        return report.fail(error)
    _tell(report, plan)
    return report


@command(
    "remappingStaticTopic",
    "Spread the queues of a static topic evenly over some brokers.",
    _TARGETS,
    topic(),
    _MAP_FILE,
    _FORCE,
    data=_DATA,
    differs=_DIFFERS,
    changes=True,
)
async def remapping_static_topic(call: Call) -> Report:
    """`remappingStaticTopic`."""
    from rmq.client.admin import static_plan, static_topics

    report = Report()
    name = call.required("t")
    report.put(topic=name)
    path = call.text("mf")
    if path is not None:
        plan = _plan_in(path, name)
        await static_topics.move_queues(call.admin, plan, force=call.truth("fr"))
        _tell(report, plan)
        return report
    targets = await _targets(call)
    await static_topics.check_masters(call.admin, targets)
    shares = await static_topics.shares_of(call.admin, name)
    if not shares:
        raise static_plan.StaticTopicError("No topic route to do the remapping")
    epoch, _ = static_plan.check_shares(name, shares)
    report.put(before=_write(call, report, _unchanged(name, epoch, shares), _BEFORE, "old"))
    try:
        plan = static_plan.plan_move(name, targets, shares, now=call.admin.now())
        # Apache's says "old" of both.
        report.put(after=_write(call, report, plan, _AFTER, "old"))
        await static_topics.move_queues(call.admin, plan, force=call.truth("fr"))
    except RemotingError as error:
        return report.fail(error)
    _tell(report, plan)
    return report


def _names(text: str) -> list[str]:
    return [name for part in text.split(",") if (name := part.strip())]


async def _targets(call: Call) -> set[str]:
    """Names of the brokers that may get queues."""
    from rmq.client.admin.static_topics import brokers_of

    brokers = call.text("b")
    found = set(_names(brokers)) if brokers is not None else await brokers_of(call.admin, _names(call.required("c")))
    if not found:
        raise CommandLineError("Find none brokers, do nothing")
    return found


def _unchanged(topic: str, epoch: int, shares: Shares) -> TopicRemappingDetailWrapper:
    """What brokers hold now, in the form of a plan, so that it can be carried out to go back."""
    from rmq.wire.bodies.topic import TopicRemappingDetailWrapper

    return TopicRemappingDetailWrapper(topic, epoch=epoch, broker_config_map=shares)


def _write(call: Call, report: Report, plan: TopicRemappingDetailWrapper, suffix: str, said: str) -> str:
    """Writes what a plan says into the directory for temporary files; the file's path."""
    from rmq.wire.declare import encode_body

    path = os.path.join(tempfile.gettempdir(), f"{plan.topic}-{plan.epoch}{suffix}")
    call.write_file(path, encode_body(plan).decode())
    report.say(f"The {said} mapping data is written to file {path}")
    return path


def _plan_in(path: str, topic: str) -> TopicRemappingDetailWrapper:
    from rmq.admin.files import read_object
    from rmq.client.admin.static_topics import check_plan
    from rmq.wire.bodies.topic import TopicRemappingDetailWrapper
    from rmq.wire.declare import from_plain
    from rmq.wire.errors import InvalidFieldError

    try:
        plan = from_plain(TopicRemappingDetailWrapper, read_object(path))
    except InvalidFieldError as error:
        raise CommandLineError(f"{path} is no plan of a static topic: {error.remark}") from None
    check_plan(plan, topic)
    return plan


def _tell(report: Report, plan: TopicRemappingDetailWrapper) -> None:
    from rmq.wire import fastjson
    from rmq.wire.declare import to_plain

    # Written strictly and read again, the numbers of queues are texts, as JSON wants its keys.
    report.put(plan=fastjson.loads(fastjson.dumps(to_plain(plan), strict=True)))
