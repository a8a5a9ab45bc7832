"""Definitions of topics as a file holds them: `{"topicConfigTable": {name: {...}}}`, which exports of mqadmin hold too.

A broker's own `topics.json` is such a file, too. An export of a cluster has an
`exportTime`; its queues are those of all masters together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from rmq.tui.service.changes.topics import MOST_QUEUES, TopicDefinition, is_permission
from rmq.wire.bodies.topic import TopicConfig, TopicConfigSerializeWrapper, TopicFilterType
from rmq.wire.declare import from_plain, to_plain
from rmq.wire.errors import RemotingError
from rmq.wire.names import is_legal_topic

_TABLE: Final = "topicConfigTable"
_EXPORT_TIME: Final = "exportTime"
_MOST: Final = 20_000


class DefinitionError(ValueError):
    """A file holds no definitions of topics; the text says why, as a sentence without a full stop."""


class Definitions(NamedTuple):
    """What a file holds.

    Attributes:
        topics: by name.
        added_up: queues are those of all masters together.
    """

    topics: tuple[TopicDefinition, ...]
    added_up: bool


def definition_of(config: TopicConfig) -> TopicDefinition:
    """A broker's configuration of a topic."""
    return TopicDefinition(
        config.topic_name,
        config.read_queue_nums,
        config.write_queue_nums,
        config.perm,
        config.order,
        tuple(sorted(config.attributes.items())),
        config.topic_filter_type.value,
        config.topic_sys_flag,
    )


def config_of(wanted: TopicDefinition) -> TopicConfig:
    """What a broker is to have; attributes are all of them, not changes."""
    return TopicConfig(
        wanted.name,
        wanted.read_queues,
        wanted.write_queues,
        wanted.perm,
        TopicFilterType(wanted.filter_type),
        wanted.sys_flag,
        wanted.order,
        dict(wanted.attributes),
    )


def written(found: Definitions, now: int) -> str:
    """The text of a file; `now` is the time of an export of a cluster, in ms."""
    table = {item.name: to_plain(config_of(item)) for item in sorted(found.topics, key=lambda item: item.name)}
    content = {_TABLE: table, **({_EXPORT_TIME: now} if found.added_up else {})}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def read(text: str) -> Definitions:
    """The definitions in a file.

    Raises:
        DefinitionError: there are none, or one of them cannot be.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DefinitionError(f"it is no JSON: {error}") from None
    table, added_up = _table(content)
    try:
        configs = from_plain(TopicConfigSerializeWrapper, {_TABLE: table}).topic_config_table
    except RemotingError as error:
        raise DefinitionError(error.remark) from None
    if not configs:
        raise DefinitionError("it holds no topics")
    if len(configs) > _MOST:
        raise DefinitionError(f"it holds {len(configs)} topics, and {_MOST} are the most at a time")
    return Definitions(tuple(_checked(configs[name]) for name in sorted(configs)), added_up)


def _table(content: Any) -> tuple[Mapping[str, Any], bool]:
    if not isinstance(content, dict):
        raise DefinitionError(f"an object with {_TABLE} is expected")
    inner = content.get("metadata")
    tables = inner if isinstance(inner, dict) else content
    table = tables.get(_TABLE)
    if not isinstance(table, dict):
        raise DefinitionError(f"{_TABLE} is not in it")
    return table, _EXPORT_TIME in tables


def _checked(config: TopicConfig) -> TopicDefinition:
    name = config.topic_name
    if not is_legal_topic(name):
        raise DefinitionError(f"{name[:60]!r} cannot be a topic's name")
    if not is_permission(config.perm):
        raise DefinitionError(f"{name}: the permission {config.perm} is none")
    queues = (config.read_queue_nums, config.write_queue_nums)
    if not all(0 <= number <= MOST_QUEUES for number in queues):
        raise DefinitionError(f"{name}: 0 to {MOST_QUEUES} queues are possible")
    return definition_of(config)
