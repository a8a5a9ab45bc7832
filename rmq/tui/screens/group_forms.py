"""Forms about consumer groups: a new one, another configuration, and what goes with a deleted one."""

from __future__ import annotations

from collections.abc import Sequence

from rmq.tui.screens.forms import Field, FormDialog, Values, number
from rmq.tui.screens.places import place_field, place_of
from rmq.tui.service.changes.groups import (
    CreateGroup,
    DeleteGroup,
    EditGroup,
    GroupDefinition,
    RetryPolicyError,
    policy_of,
    policy_text,
)
from rmq.tui.service.changes.places import Place
from rmq.tui.service.changes.topics import MOST_QUEUES
from rmq.tui.service.model import GroupDetail, Setting
from rmq.tui.state.session import Session
from rmq.wire.names import is_legal_group, is_predefined_group, is_system_group

_MOST_TRIES = 2**31 - 1
_MOST_ID = 2**31 - 1
_TRUTHS = (
    ("enabled", "Consume", "consumeEnable: whether its clients get messages at all."),
    ("broadcast", "Broadcast", "consumeBroadcastEnable: whether every client may get every message."),
    ("from_min", "From the oldest", "consumeFromMinEnable: whether it may begin at the oldest message."),
    ("orderly", "In order", "consumeMessageOrderly: whether POP consumption keeps messages in order."),
    ("notify", "Notify", "notifyConsumerIdsChangedEnable: whether clients hear at once when another comes or goes."),
)
"""Attribute, label and hint of what is yes or no."""


def name_problem(name: str) -> str:
    """Why a group cannot be called so; nothing when it can."""
    if not name:
        return "a name is needed"
    if is_system_group(name) or is_predefined_group(name):
        return "RocketMQ's own"
    return "" if is_legal_group(name) else "letters, digits and %|_- up to 120"


def policy_problem(text: str) -> str:
    """Why a text is no retry policy."""
    try:
        policy_of(text)
    except RetryPolicyError as error:
        return str(error)
    return ""


def _fields(session: Session, before: GroupDefinition, place: Place | None, *, new: bool) -> list[Field]:
    return [
        Field("name", "Group", before.name, check=name_problem if new else lambda name: "", fixed=not new),
        place_field(session, place),
        Field(
            "retry_max",
            "Tries at most",
            str(before.retry_max),
            check=number(-1, _MOST_TRIES),
            hint="retryMaxTimes: after so many a message becomes a dead letter; in order, -1 is without end.",
        ),
        Field(
            "retry_queues",
            "Retry queues",
            str(before.retry_queues),
            check=number(0, MOST_QUEUES),
            hint="retryQueueNums: queues of its retry topic on each broker.",
        ),
        Field(
            "retry_policy",
            "Retry policy",
            before.retry_policy,
            check=policy_problem,
            hint='JSON, empty for the usual one: {"type": "EXPONENTIAL", "exponentialRetryPolicy": {"initial": 5000,'
            ' "max": 7200000, "multiplier": 2}}, times in ms.',
        ),
        *(Field(key, label, str(getattr(before, key)).lower(), truth=True, hint=hint) for key, label, hint in _TRUTHS),
        Field(
            "broker_id",
            "Consume from id",
            str(before.broker_id),
            check=number(0, _MOST_ID),
            hint="brokerId: 0 is the master.",
        ),
        Field(
            "slow_broker_id",
            "When slow, from id",
            str(before.slow_broker_id),
            check=number(0, _MOST_ID),
            hint="whichBrokerWhenConsumeSlowly: the replica that takes over when its master is slow.",
        ),
    ]


def _wanted(values: Values) -> GroupDefinition:
    return GroupDefinition(
        values["name"].strip(),
        values["enabled"] == "true",
        values["from_min"] == "true",
        values["broadcast"] == "true",
        values["orderly"] == "true",
        int(values["retry_queues"]),
        int(values["retry_max"]),
        policy_text(policy_of(values["retry_policy"])),
        int(values["broker_id"]),
        int(values["slow_broker_id"]),
        values["notify"] == "true",
    )


def new_group_form(session: Session) -> FormDialog:
    """A form for a group that is not there yet."""

    def make(values: Values) -> CreateGroup:
        return CreateGroup(Place.of_code(values["place"]), _wanted(values))

    return FormDialog("New group", _fields(session, GroupDefinition(""), None, new=True), make)


def edit_group_form(session: Session, detail: GroupDetail) -> FormDialog | None:
    """A form for a group's configuration; None when no broker told of one."""
    found = definition_from(detail.group.name, detail.config)
    if found is None:
        return None
    before = found

    def make(values: Values) -> EditGroup:
        return EditGroup(Place.of_code(values["place"]), _wanted(values), before)

    fields = _fields(session, before, place_of(session, _brokers(detail.config)), new=False)
    return FormDialog(f"Edit {before.name}", fields, make)


def delete_group_form(session: Session, name: str, config: Sequence[Setting]) -> FormDialog:
    """A form for what goes with a group."""
    gone = "From a cluster its retry and dead-letter topics go, too; from one broker they stay."
    fields = [
        place_field(session, place_of(session, _brokers(config)), "From", gone),
        Field(
            "offsets",
            "Offsets, too",
            "true",
            truth=True,
            hint="Without its offsets, a group that comes back under this name goes on where this one was.",
        ),
    ]

    def make(values: Values) -> DeleteGroup:
        return DeleteGroup(Place.of_code(values["place"]), name, values["offsets"] == "true")

    return FormDialog(f"Delete {name}", fields, make)


def _brokers(config: Sequence[Setting]) -> list[str]:
    return list(dict.fromkeys(setting.server for setting in config))


def definition_from(name: str, config: Sequence[Setting]) -> GroupDefinition | None:
    """A group as the first broker of a detail has it; None when that cannot be told."""
    if not config:
        return None
    first = {setting.key: setting.value for setting in config if setting.server == config[0].server}
    usual = GroupDefinition(name).members()
    told = {**usual, **first}
    try:
        return GroupDefinition(
            name,
            told["consumeEnable"] == "true",
            told["consumeFromMinEnable"] == "true",
            told["consumeBroadcastEnable"] == "true",
            told["consumeMessageOrderly"] == "true",
            int(told["retryQueueNums"]),
            int(told["retryMaxTimes"]),
            policy_text(policy_of(told["groupRetryPolicy"])),
            int(told["brokerId"]),
            int(told["whichBrokerWhenConsumeSlowly"]),
            told["notifyConsumerIdsChangedEnable"] == "true",
        )
    except ValueError:
        return None
