"""Rules about what users may do.

Source: org.apache.rocketmq.tools.command.auth.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from rmq.admin.commands.auth import change_on_each, copied, needed, resources, trimmed, user_named, words
from rmq.admin.declare import Call, command
from rmq.admin.errors import CommandLineError
from rmq.admin.options import Option, broker_or_cluster, value
from rmq.admin.output import Column, Member, Report, Table
from rmq.admin.targets import OTHERS_GO_ON, masters_in
from rmq.client.admin.auth import copy_acls, create_acl, delete_acl, get_acl, list_acls, rules_for, update_acl
from rmq.client.admin.session import Admin
from rmq.wire.bodies.auth import AclInfo, Action, Decision, by_name
from rmq.wire.bodies.printed import java_text
from rmq.wire.errors import RemotingError

_ACTIONS = [action.value for action in Action if action not in {Action.UNKNOWN, Action.ANY}]
_RULES = Table(
    "rules",
    "A rule and the address of the broker that told of it; `actions` and `sourceIps` are lists, the latter"
    " null for every address.",
    "%.0s%-16s  %-10s  %-22s  %-20s  %-24s  %-10s",
    "%.0s%-16s  %-10s  %-22s  %-20s  %-24s  %-10s",
    (
        Column("address"),
        Column("subject", "#Subject", java_text),
        Column("policyType", "#PolicyType", java_text),
        Column("resource", "#Resource", java_text),
        Column("actions", "#Actions", java_text),
        Column("sourceIps", "#SourceIp", java_text),
        Column("decision", "#Decision", java_text),
    ),
)
_NO_RULES = replace(_RULES, head="")
_BROKERS = Member("brokers", "Addresses of the brokers that did it.")
_SUBJECT = "Whom the rules are for: User: and a name."
_RESOURCES = "Resources joined by commas: * or a kind (Topic, Group, Cluster, Namespace) and a name: Topic:Order*."


def _rule_options() -> tuple[Option, ...]:
    return (
        value("s", "subject", _SUBJECT, required=True),
        value("r", "resources", _RESOURCES, required=True),
        value("a", "actions", f"Actions joined by commas: {', '.join(_ACTIONS)}.", required=True),
        value("d", "decision", "Allow or Deny.", required=True),
        value("i", "sourceIp", "Addresses joined by commas, such as 10.0.0.1 or 10.0.0.0/8, from which it holds."),
    )


@command(
    "createAcl",
    "Let a user do something, or forbid it; the rules there are for the same resources are replaced.",
    broker_or_cluster("Address of the one broker to put rules on.", "Cluster to put rules on, slaves too."),
    *_rule_options(),
    data=(_BROKERS,),
    differs=("An unknown action is refused; with Apache's tool it is left out when others are known.", OTHERS_GO_ON),
    changes=True,
    examples=(
        (
            "createAcl -c DefaultCluster -s User:alice -r 'Topic:Order*,Group:*' -a Pub,Sub -d Allow -i 10.0.0.0/8",
            "Let alice send to topics that begin with Order and consume, from one network.",
        ),
    ),
)
async def create(call: Call) -> Report:
    """`createAcl`."""
    return await _put(call, "create acl", create_acl)


@command(
    "updateAcl",
    "Change rules; does what createAcl does.",
    broker_or_cluster("Address of the one broker to put rules on.", "Cluster to put rules on, slaves too."),
    *_rule_options(),
    data=(_BROKERS,),
    differs=("An unknown action is refused; with Apache's tool it is left out when others are known.", OTHERS_GO_ON),
    changes=True,
)
async def update(call: Call) -> Report:
    """`updateAcl`."""
    return await _put(call, "update acl", update_acl)


async def _put(call: Call, done: str, put: Callable[[Admin, str, AclInfo], Awaitable[None]]) -> Report:
    decision, ips = call.required("d").strip(), words(call.text("i"))
    if by_name(Decision, decision) is None:
        raise CommandLineError(f"the decision is Allow or Deny, not {decision}")
    if call.given("i") and not ips:
        raise CommandLineError("-i holds no address; without it the rule holds for every address")
    subject = user_named(call.required("s").strip())
    acl = rules_for(subject, resources(call.required("r")), _actions(call.required("a")), ips or None, decision)
    return await change_on_each(call, done, lambda address: put(call.admin, address, acl))


def _actions(text: str) -> list[str]:
    found = words(text)
    known = {name.lower() for name in _ACTIONS}
    for action in found or [text]:
        if action.lower() not in known:
            raise CommandLineError(f"action {action}: one of {', '.join(_ACTIONS)} is expected")
    return found


@command(
    "deleteAcl",
    "Remove rules for a user: those for some resources, or all.",
    broker_or_cluster("Address of the one broker to remove rules from.", "Cluster to remove rules from, slaves too."),
    value("s", "subject", _SUBJECT, required=True),
    value("r", "resources", f"{_RESOURCES} All rules if not given."),
    data=(_BROKERS,),
    differs=(
        "Several resources can be given; Apache's tool takes the list for one resource and removes nothing.",
        "A resource that is none is refused; an Apache broker takes it for none given and removes all rules.",
        OTHERS_GO_ON,
    ),
    changes=True,
    examples=(("deleteAcl -b 10.0.0.1:10911 -s User:alice -r 'Topic:Order*'", "Remove one rule from one broker."),),
)
async def delete(call: Call) -> Report:
    """`deleteAcl`."""
    subject = user_named(call.required("s").strip())
    named = resources(call.required("r")) if call.given("r") else []
    return await change_on_each(call, "delete acl", lambda address: delete_acl(call.admin, address, subject, named))


@command(
    "getAcl",
    "Show the rules for one user.",
    broker_or_cluster("Address of the broker to ask.", "Cluster whose masters are asked."),
    value("s", "subject", f"{_SUBJECT} Must be given."),
    data=(_RULES,),
    differs=(OTHERS_GO_ON,),
)
async def get(call: Call) -> Report:
    """`getAcl`."""
    subject = user_named(needed(call, "s"))

    async def ask(address: str) -> list[AclInfo]:
        acl = await get_acl(call.admin, address, subject)
        return [] if acl is None else [acl]

    return await _show_each(call, ask)


@command(
    "listAcl",
    "List rules by user.",
    broker_or_cluster("Address of the broker to ask.", "Cluster whose masters are asked."),
    value("s", "subject", "Only rules whose subject holds this text."),
    value("r", "resource", "Only rules whose resource holds this text."),
    data=(_RULES,),
    differs=(OTHERS_GO_ON,),
)
async def list_all(call: Call) -> Report:
    """`listAcl`."""
    subject, resource = trimmed(call, "s"), trimmed(call, "r")
    return await _show_each(call, lambda address: list_acls(call.admin, address, subject, resource))


async def _show_each(call: Call, ask: Callable[[str], Awaitable[list[AclInfo]]]) -> Report:
    report = Report()
    if call.given("b"):
        addresses = [call.required("b").strip()]
    else:
        addresses = await masters_in(call, report, call.required("c").strip())
    outcomes = await call.admin.attempt_each(addresses, ask)
    for address, outcome in zip(addresses, outcomes, strict=True):
        if isinstance(outcome, RemotingError):
            report.fail(outcome)
        elif outcome:
            report.table(_RULES, _rows(address, outcome))
    if not any(outcomes):
        report.table(_NO_RULES, ())
    return report


def _rows(address: str, acls: Sequence[AclInfo]) -> list[tuple[object, ...]]:
    return [
        (address, acl.subject, policy.policy_type, entry.resource, entry.actions, entry.source_ips, entry.decision)
        for acl in acls
        for policy in acl.policies or ()
        for entry in policy.entries or ()
    ]


@command(
    "copyAcl",
    "Add the rules of one broker to those of another, which must have the users.",
    value("f", "fromBroker", "Address of the broker to copy from.", required=True),
    value("t", "toBroker", "Address of the broker to copy to.", required=True),
    value("s", "subjects", "Subjects joined by commas, each User: and a name; all if not given."),
    data=(Member("copied", "Subjects whose rules were copied."),),
    differs=("A subject that cannot be copied does not keep the others from it, and one without rules is a failure.",),
    changes=True,
)
async def copy(call: Call) -> Report:
    """`copyAcl`."""
    source, target = call.required("f").strip(), call.required("t").strip()
    subjects = [user_named(subject) for subject in words(call.text("s"))]
    return copied("acl", await copy_acls(call.admin, source, target, subjects), source, target)
