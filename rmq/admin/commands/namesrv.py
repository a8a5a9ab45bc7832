"""Name servers.

Source: org.apache.rocketmq.tools.command.namesrv.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from rmq.admin.declare import Call, command
from rmq.admin.options import DRY_RUN, value
from rmq.admin.output import Member, Report
from rmq.admin.targets import done_on_each
from rmq.client.admin import namesrv
from rmq.client.admin.session import Admin

T = TypeVar("T")

_RULE: Final = "=" * 12
_SERVERS: Final = Member("nameServers", "Addresses of the name servers that did it.")
_BROKER_NAME: Final = value("b", "brokerName", "Name of the broker.", required=True)
_COUNTS: Final = Member("nameServers", "By address of a name server: how many topics the broker has there.")


async def _at_each(call: Call, report: Report, job: Callable[[str], Awaitable[T]]) -> list[tuple[str, T]]:
    """What each name server answered; those that did not are failures."""
    return await done_on_each(call, report, call.admin.nameservers, job)


# --- key-value configuration ---------------------------------------------------------------------------------------


@command(
    "updateKvConfig",
    "Set a value of the key-value configuration in every name server.",
    value("s", "namespace", "Namespace of the key, such as ORDER_TOPIC_CONFIG.", required=True),
    value("k", "key", "The key.", required=True),
    value("v", "value", "The value.", required=True),
    data=(
        Member("namespace", "The namespace."),
        Member("key", "The key."),
        Member("value", "The value."),
        _SERVERS,
    ),
    changes=True,
    examples=(("updateKvConfig -s ORDER_TOPIC_CONFIG -k Orders -v broker-a:4", "What updateOrderConf does, by hand."),),
)
async def update_kv_config(call: Call) -> Report:
    """`updateKvConfig`."""
    report = Report()
    space, key, text = call.required("s"), call.required("k"), call.required("v")
    done = await _at_each(call, report, lambda address: namesrv.put_kv(call.admin, address, space, key, text))
    report.put(namespace=space, key=key, value=text, nameServers=[address for address, _ in done])
    if not report.failures:
        report.say("create or update kv config to namespace success.")
    return report


@command(
    "deleteKvConfig",
    "Remove a key of the key-value configuration from every name server.",
    value("s", "namespace", "Namespace of the key.", required=True),
    value("k", "key", "The key; one that is not there is no error.", required=True),
    data=(Member("namespace", "The namespace."), Member("key", "The key."), _SERVERS),
    changes=True,
    examples=(("deleteKvConfig -s ORDER_TOPIC_CONFIG -k Orders", "Remove the order configuration of Orders."),),
)
async def delete_kv_config(call: Call) -> Report:
    """`deleteKvConfig`."""
    report = Report()
    space, key = call.required("s"), call.required("k")
    done = await _at_each(call, report, lambda address: namesrv.delete_kv(call.admin, address, space, key))
    report.put(namespace=space, key=key, nameServers=[address for address, _ in done])
    if not report.failures:
        report.say("delete kv config from namespace success.")
    return report


# --- write permission ----------------------------------------------------------------------------------------------


@command(
    "wipeWritePerm",
    "Take the write permission from all topics of a broker, in the routes of every name server. It comes back when"
    " the broker registers with something new.",
    _BROKER_NAME,
    data=(Member("brokerName", "Name of the broker."), _COUNTS),
    differs=("A broker that no name server knows is a failure: there was nothing to wipe.",),
    changes=True,
    examples=(("wipeWritePerm -b broker-a", "Let producers leave broker-a before it is stopped."),),
)
async def wipe_write_perm(call: Call) -> Report:
    """`wipeWritePerm`."""
    return await _change_write_perm(call, "wipe", namesrv.wipe_write_perm)


@command(
    "addWritePerm",
    "Make all topics of a broker readable and writable, in the routes of every name server.",
    _BROKER_NAME,
    data=(Member("brokerName", "Name of the broker."), _COUNTS),
    differs=("A broker that no name server knows is a failure: there was nothing to add to.",),
    changes=True,
    examples=(("addWritePerm -b broker-a", "Let producers come back to broker-a."),),
)
async def add_write_perm(call: Call) -> Report:
    """`addWritePerm`."""
    return await _change_write_perm(call, "add", namesrv.add_write_perm)


async def _change_write_perm(call: Call, verb: str, change: Callable[[Admin, str, str], Awaitable[int]]) -> Report:
    report = Report()
    name = call.required("b")
    counts = dict(await _at_each(call, report, lambda address: change(call.admin, address, name)))
    for address in call.admin.nameservers:
        told = f"OK, {counts[address]}" if address in counts else "Failed"
        report.say(f"{verb} write perm of broker[{name}] in name server[{address}] {told}")
    report.put(brokerName=name, nameServers=counts)
    if counts and not any(counts.values()):
        await _note_unknown(call, report, name)
    return report


async def _note_unknown(call: Call, report: Report, name: str) -> None:
    from rmq.client.admin.clusters import cluster_info
    from rmq.client.admin.errors import UnknownBrokerError

    known = (await cluster_info(call.admin)).broker_addr_table
    if name not in known:
        report.fail(UnknownBrokerError(name, known))


# --- settings ------------------------------------------------------------------------------------------------------


@command(
    "getNamesrvConfig",
    "Show the settings of every name server.",
    data=(Member("nameServers", "By address: an object with every setting as text."),),
    examples=(
        ("getNamesrvConfig -n '10.0.0.1:9876;10.0.0.2:9876' -f json", "Compare the settings of two name servers."),
    ),
)
async def get_namesrv_config(call: Call) -> Report:
    """`getNamesrvConfig`."""
    report = Report()
    shown = await _at_each(call, report, lambda address: namesrv.namesrv_config(call.admin, address))
    for address, settings in shown:
        report.say(f"{_RULE}{address}{_RULE}")
        for name, setting in settings.items():
            report.say(f"{name:<50}=  {setting}")
    report.put(nameServers=dict(shown))
    return report


@command(
    "updateNamesrvConfig",
    "Change one setting of every name server; they keep it in their files.",
    value("k", "key", "Name of the setting.", required=True),
    value("v", "value", "Its value.", required=True),
    data=(Member("key", "Name of the setting."), Member("value", "Its value."), _SERVERS),
    differs=(
        "A setting that a name server does not know, or a value that it cannot read, is a failure and no success.",
        "Backslashes and characters beyond ASCII in a value reach the name server as they are.",
    ),
    changes=True,
    examples=(("updateNamesrvConfig -k orderMessageEnable -v true", "Tell clients order configurations."),),
)
async def update_namesrv_config(call: Call) -> Report:
    """`updateNamesrvConfig`."""
    from rmq.client.admin.changing import change_namesrv_setting

    report = Report()
    key, text = call.required("k"), call.required("v")

    async def change(address: str) -> None:
        if call.given(DRY_RUN.key):
            await namesrv.update_namesrv_config(call.admin, address, {key: text})
        else:
            await change_namesrv_setting(call.admin, address, key, text)

    done = await _at_each(call, report, change)
    changed = [address for address, _ in done]
    report.put(key=key, value=text, nameServers=changed)
    if changed:
        # Apache's command names the servers only when they were given; when some failed it matters which did not.
        named = f"[{', '.join(changed)}]" if call.given("n") or report.failures else ""
        report.say(f"update name server config success!{named}")
        report.say(f"{key} : {text}")
    return report
