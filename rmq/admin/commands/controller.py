"""Controllers.

Source: org.apache.rocketmq.tools.command.controller.
"""

from __future__ import annotations

from rmq.admin.declare import Call, command, integer
from rmq.admin.errors import CommandLineError
from rmq.admin.options import DRY_RUN, flag, value
from rmq.admin.output import Member, Report
from rmq.admin.targets import done_on_each

_ANY_CONTROLLER = value("a", "controllerAddress", "Address of any of the controllers, host:port.", required=True)
_CONTROLLERS = value("a", "controllerAddress", "Addresses of the controllers, host:port joined by ';'.", required=True)
_BROKER_NAME = value("bn", "brokerName", "Name of the broker whose replicas are meant.", required=True)
_RULE = "=" * 12


def _controllers(call: Call) -> list[str]:
    return [address for address in call.required("a").strip().split(";") if address]


# --- who leads -----------------------------------------------------------------------------------------------------


@command(
    "getControllerMetaData",
    "Show the group of controllers, its leader and its members.",
    _ANY_CONTROLLER,
    data=(
        Member("group", "Name of the group."),
        Member("leaderId", "Id of the leader."),
        Member("leaderAddress", "Its address."),
        Member("peers", "The members, each id:host:port."),
    ),
)
async def get_controller_meta_data(call: Call) -> Report:
    """`getControllerMetaData`."""
    from rmq.client.admin.controllers import controller_metadata
    from rmq.wire.bodies.printed import java_text

    report = Report()
    known = await controller_metadata(call.admin, call.required("a").strip())
    peers = [peer for peer in (known.peers or "").split(";") if peer]
    report.say(f"\n#ControllerGroup\t{java_text(known.group)}")
    report.say(f"#ControllerLeaderId\t{java_text(known.controller_leader_id)}")
    report.say(f"#ControllerLeaderAddress\t{java_text(known.controller_leader_address)}")
    for peer in peers:
        report.say(f"#Peer:\t{peer}")
    report.put(
        group=known.group,
        leaderId=known.controller_leader_id,
        leaderAddress=known.controller_leader_address,
        peers=peers,
    )
    return report


# --- settings ------------------------------------------------------------------------------------------------------


@command(
    "getControllerConfig",
    "Show the settings of controllers.",
    _CONTROLLERS,
    data=(Member("controllers", "By address: an object with every setting as text."),),
    differs=("A controller that cannot tell does not keep the others from being shown.",),
    examples=(("getControllerConfig -a '10.0.0.8:9878;10.0.0.9:9878'", "Show the settings of two controllers."),),
)
async def get_controller_config(call: Call) -> Report:
    """`getControllerConfig`."""
    from rmq.client.admin.controllers import controller_config

    report = Report()
    addresses = _controllers(call)
    shown: dict[str, dict[str, str]] = {}
    done = await done_on_each(call, report, addresses, lambda address: controller_config(call.admin, address))
    for address, outcome in done:
        shown[address] = outcome
        report.say(_RULE + address + _RULE)
        for name, setting in outcome.items():
            report.say(f"{name:<50}=  {setting}")
    report.put(controllers=shown)
    return report


@command(
    "updateControllerConfig",
    "Change a setting of controllers.",
    _CONTROLLERS,
    value("k", "key", "Name of the setting.", required=True),
    value("v", "value", "Its new value.", required=True),
    data=(
        Member("key", "The setting."),
        Member("value", "Its new value."),
        Member("controllers", "Addresses of the controllers that took it."),
    ),
    differs=(
        "A setting that a controller does not know, or a value that it cannot read, is a failure and no success.",
        "A controller that refuses does not keep the others from changing it; the line names those that did.",
    ),
    changes=True,
    examples=(
        (
            "updateControllerConfig -a '10.0.0.8:9878;10.0.0.9:9878' -k scanNotActiveBrokerInterval -v 5000",
            "Change a setting of two controllers.",
        ),
    ),
)
async def update_controller_config(call: Call) -> Report:
    """`updateControllerConfig`."""
    from rmq.client.admin.changing import change_controller_setting
    from rmq.client.admin.controllers import update_controller_config as update
    from rmq.wire.bodies.printed import java_text

    report = Report()
    addresses, key, setting = _controllers(call), call.required("k").strip(), call.required("v").strip()

    async def change(address: str) -> None:
        if call.given(DRY_RUN.key):
            await update(call.admin, address, {key: setting})
        else:
            await change_controller_setting(call.admin, address, key, setting)

    done = [address for address, _ in await done_on_each(call, report, addresses, change)]
    report.put(key=key, value=setting, controllers=done)
    if done:
        report.say(f"update controller config success!{java_text(done)}")
        report.say(f"{key} : {setting}")
    return report


# --- replicas ------------------------------------------------------------------------------------------------------


@command(
    "electMaster",
    "Make a chosen replica the master.",
    _ANY_CONTROLLER,
    value("b", "brokerId", "Id of the replica that is to be the master.", required=True),
    _BROKER_NAME,
    value("c", "clusterName", "Name of its cluster.", required=True),
    data=(
        Member("cluster", "The cluster."),
        Member("brokerName", "The broker."),
        Member("masterAddress", "Address of the new master."),
        Member("masterEpoch", "How many masters there have been."),
        Member("syncStateSetEpoch", "How often the set of replicas in step has changed."),
        Member("replicas", "Addresses of the replicas by id."),
    ),
    changes=True,
    examples=(
        ("electMaster -a 10.0.0.9:9878 -b 2 -bn broker-a -c DefaultCluster", "Make replica 2 the master of broker-a."),
    ),
)
async def elect_master(call: Call) -> Report:
    """`electMaster`."""
    from rmq.client.admin.controllers import elect_master as elect
    from rmq.wire.bodies.printed import java_text

    report = Report()
    cluster, name, number = call.required("c"), call.required("bn"), integer(call.required("b").strip(), bits=64)
    outcome, members = await elect(call.admin, call.required("a").strip(), cluster, name, number)
    report.say(f"\n#ClusterName\t{cluster}")
    report.say(f"#BrokerName\t{name}")
    report.say(f"#BrokerMasterAddr\t{java_text(outcome.master_address)}")
    report.say(f"#MasterEpoch\t{java_text(outcome.master_epoch)}")
    report.say(f"#SyncStateSetEpoch\t{java_text(outcome.sync_state_set_epoch)}")
    for broker_id, address in members.broker_addrs.items():
        report.say(f"\t#Broker\t{broker_id}\t{address}")
    report.put(
        cluster=cluster,
        brokerName=name,
        masterAddress=outcome.master_address,
        masterEpoch=outcome.master_epoch,
        syncStateSetEpoch=outcome.sync_state_set_epoch,
        replicas={str(broker_id): address for broker_id, address in members.broker_addrs.items()},
    )
    return report


@command(
    "cleanBrokerMetadata",
    "Let the controllers forget replicas of a broker.",
    _ANY_CONTROLLER,
    value("b", "brokerControllerIdsToClean", "Ids of the replicas joined by ';'; all if not given."),
    _BROKER_NAME,
    value("c", "clusterName", "Name of the cluster; needed without -l."),
    flag("l", "cleanLivingBroker", "Also forget replicas that are alive."),
    data=(Member("brokerName", "The broker."), Member("ids", "Ids of the replicas; null for all.")),
    changes=True,
    examples=(
        (
            "cleanBrokerMetadata -a 10.0.0.9:9878 -bn broker-a -c DefaultCluster -b '2;3'",
            "Forget two replicas of broker-a.",
        ),
    ),
)
async def clean_broker_metadata(call: Call) -> Report:
    """`cleanBrokerMetadata`."""
    from rmq.client.admin.controllers import clean_broker_data

    report = Report()
    name, cluster, ids, living = call.required("bn").strip(), call.text("c"), call.text("b"), call.given("l")
    numbers = None if ids is None else [integer(number.strip(), bits=64) for number in ids.split(";")]
    if not living and not cluster:
        raise CommandLineError("cleanLivingBroker option is false, clusterName option can not be empty.")
    wanted = None if numbers is None else ";".join(map(str, numbers))
    await clean_broker_data(call.admin, call.required("a").strip(), name, cluster=cluster, ids=wanted, living=living)
    report.say(f"clear broker {name} metadata from controller success! ")
    report.put(brokerName=name, ids=numbers)
    return report
