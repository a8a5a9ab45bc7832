"""Users.

Source: org.apache.rocketmq.tools.command.auth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rmq.admin.commands.auth import change_on_each, copied, needed, trimmed, words
from rmq.admin.declare import Call, command
from rmq.admin.errors import CommandLineError
from rmq.admin.options import Group, broker_or_cluster, value
from rmq.admin.output import Column, Member, Report, Table
from rmq.admin.targets import OTHERS_GO_ON, masters_in
from rmq.client.admin.auth import (
    UnknownUserError,
    copy_users,
    create_user,
    delete_user,
    first_found,
    get_user,
    list_users,
    update_user,
)
from rmq.wire.bodies.auth import UserInfo, UserStatus, UserType, by_name
from rmq.wire.bodies.printed import java_text

_USERS = Table(
    "users",
    "A user and the address of the broker that told of it; the password is shown as it is.",
    "%.0s%-16s  %-22s  %-22s  %-22s",
    "%.0s%-16s  %-22s  %-22s  %-22s",
    (
        Column("address"),
        Column("username", "#UserName", java_text),
        Column("password", "#Password", java_text),
        Column("userType", "#UserType", java_text),
        Column("userStatus", "#UserStatus", java_text),
    ),
)
_NO_USERS = replace(_USERS, head="")
_BROKERS = Member("brokers", "Addresses of the brokers that did it.")


def _show(report: Report, address: str, users: Sequence[UserInfo]) -> None:
    rows = [(address, user.username, user.password, user.user_type, user.user_status) for user in users]
    report.table(_USERS if rows else _NO_USERS, rows)


@command(
    "createUser",
    "Make a user on a broker, or on every broker of a cluster.",
    broker_or_cluster("Address of the one broker to make it on.", "Cluster to make it on, slaves too."),
    value("u", "username", "Name of the user.", required=True),
    value("p", "password", "Password of the user; brokers keep it as it is.", required=True),
    value("t", "userType", "Super or Normal; brokers take any other word for Normal.", default="Normal"),
    data=(_BROKERS,),
    differs=(OTHERS_GO_ON,),
    changes=True,
    examples=(("createUser -c DefaultCluster -u alice -p wonderland -t Super", "Make a super user on every broker."),),
)
async def create(call: Call) -> Report:
    """`createUser`."""
    user = UserInfo(trimmed(call, "u"), trimmed(call, "p"), trimmed(call, "t"))
    return await change_on_each(call, "create user", lambda address: create_user(call.admin, address, user))


@command(
    "updateUser",
    "Change a user's password, type or status.",
    broker_or_cluster("Address of the one broker to change it on.", "Cluster to change it on, slaves too."),
    value("u", "username", "Name of the user.", required=True),
    Group(
        (
            value("p", "password", "New password."),
            value("t", "userType", "New type: Super or Normal."),
            value("s", "userStatus", "New status: enable or disable."),
        )
    ),
    data=(_BROKERS,),
    differs=(
        "A type or status that is unknown is refused; Apache's tool says success and nothing changes.",
        OTHERS_GO_ON,
    ),
    changes=True,
    examples=(("updateUser -c DefaultCluster -u alice -s disable", "Lock a user out on every broker."),),
)
async def update(call: Call) -> Report:
    """`updateUser`."""
    user = UserInfo(trimmed(call, "u"), trimmed(call, "p"), trimmed(call, "t"), trimmed(call, "s"))
    if user.user_type is not None and by_name(UserType, user.user_type) is None:
        raise CommandLineError(f"the type is Super or Normal, not {user.user_type}")
    if user.user_status is not None and by_name(UserStatus, user.user_status) is None:
        raise CommandLineError(f"the status is enable or disable, not {user.user_status}")
    if user.password == "":
        raise CommandLineError("the password is empty")
    return await change_on_each(call, "update user", lambda address: update_user(call.admin, address, user))


@command(
    "deleteUser",
    "Remove a user and the rules for it; one that does not exist is no error.",
    broker_or_cluster("Address of the one broker to remove it from.", "Cluster to remove it from, slaves too."),
    value("u", "username", "Name of the user.", required=True),
    data=(_BROKERS,),
    differs=(OTHERS_GO_ON,),
    changes=True,
)
async def delete(call: Call) -> Report:
    """`deleteUser`."""
    username = call.required("u").strip()
    return await change_on_each(call, "delete user", lambda address: delete_user(call.admin, address, username))


@command(
    "getUser",
    "Show one user.",
    broker_or_cluster("Address of the broker to ask.", "Cluster whose masters are asked until one has the user."),
    value("u", "username", "Name of the user; must be given."),
    data=(_USERS,),
    differs=("A user that does not exist is a failure; Apache's tool says nothing.",),
)
async def get(call: Call) -> Report:
    """`getUser`."""
    username = needed(call, "u")
    report = Report()
    addresses = await _asked(call, report)
    found = await first_found(addresses, lambda address: get_user(call.admin, address, username))
    for failure in found.failures:
        report.fail(failure)
    _show(report, found.address, [found.value] if found.value is not None else [])
    if found.value is None and addresses and not found.failures:
        report.fail(UnknownUserError(username, ", ".join(addresses)))
    return report


@command(
    "listUser",
    "List users by name.",
    broker_or_cluster("Address of the broker to ask.", "Cluster whose masters are asked until one has users."),
    value("f", "filter", "Only users whose names hold this text."),
    data=(_USERS,),
)
async def list_all(call: Call) -> Report:
    """`listUser`."""
    part = trimmed(call, "f")
    report = Report()
    addresses = await _asked(call, report)
    found = await first_found(addresses, lambda address: list_users(call.admin, address, part))
    for failure in found.failures:
        report.fail(failure)
    _show(report, found.address, found.value or [])
    if found.value and call.given("c"):
        report.say(f"get user from {found.address} success.")
    return report


async def _asked(call: Call, report: Report) -> list[str]:
    if call.given("b"):
        return [call.required("b").strip()]
    return await masters_in(call, report, call.required("c").strip())


@command(
    "copyUser",
    "Copy users from one broker to another; those that exist there get the same password, type and status.",
    value("f", "fromBroker", "Address of the broker to copy from.", required=True),
    value("t", "toBroker", "Address of the broker to copy to.", required=True),
    value("u", "usernames", "Names joined by commas; all users if not given."),
    data=(Member("copied", "Names of the users that were copied."),),
    differs=("A user that cannot be copied does not keep the others from it; a name that nobody has is a failure.",),
    changes=True,
    examples=(("copyUser -f 10.0.0.1:10911 -t 10.0.0.2:10911 -u alice,bob", "Copy two users."),),
)
async def copy(call: Call) -> Report:
    """`copyUser`."""
    source, target = call.required("f").strip(), call.required("t").strip()
    outcomes = await copy_users(call.admin, source, target, words(call.text("u")))
    return copied("user", outcomes, source, target)
