"""Forms about topics: a new one, another configuration, and taking over or writing definitions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rmq.tui.screens.forms import Field, FormDialog, Values, number
from rmq.tui.screens.places import place_field, place_of
from rmq.tui.service.changes.definitions import DefinitionError, Definitions, read
from rmq.tui.service.changes.places import Place
from rmq.tui.service.changes.topics import (
    MESSAGE_TYPE,
    MESSAGE_TYPES,
    MOST_QUEUES,
    CreateTopic,
    EditTopic,
    ImportTopics,
    TopicDefinition,
    permissions,
)
from rmq.tui.service.model import Setting, TopicDetail
from rmq.tui.state.session import Session
from rmq.wire.bodies.topic import perm_text
from rmq.wire.names import is_legal_topic, is_system_topic

_TYPE_HINTS = (
    "NORMAL; FIFO in order by message group; DELAY at a time; TRANSACTION in two steps. Clients of 5.x check it, "
    "older ones do not."
)


def name_problem(name: str) -> str:
    """Why a topic cannot be called so; nothing when it can."""
    if not name:
        return "a name is needed"
    if is_system_topic(name):
        return "RocketMQ's own"
    return "" if is_legal_topic(name) else "letters, digits and %|_- up to 127"


def attributes_of(text: str) -> dict[str, str]:
    """Attributes of a line such as `a=1,b=2`.

    Raises:
        ValueError: it is none.
    """
    found = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = part.partition("=")
        if not equals or not key.strip() or key[0] in "+-" or key.strip() in found or not value.strip():
            raise ValueError(part)
        found[key.strip()] = value.strip()
    return found


def attribute_problem(text: str) -> str:
    """Why a line tells no attributes."""
    try:
        found = attributes_of(text)
    except ValueError:
        return "key=value,key=value"
    return f"{MESSAGE_TYPE} has a field of its own" if MESSAGE_TYPE in found else ""


def _fields(session: Session, before: TopicDefinition, place: Place | None, *, new: bool) -> list[Field]:
    attributes = dict(before.attributes)
    kind = attributes.pop(MESSAGE_TYPE, "NORMAL")
    kinds = list(dict.fromkeys((*MESSAGE_TYPES, kind)))
    perms = dict.fromkeys((*permissions(), (perm_text(before.perm), before.perm)))
    return [
        Field("name", "Topic", before.name, check=name_problem if new else lambda name: "", fixed=not new),
        place_field(session, place),
        Field("kind", "Message type", kind, [(one, one) for one in kinds], hint=_TYPE_HINTS),
        Field(
            "write",
            "Write queues",
            str(before.write_queues),
            check=number(0, MOST_QUEUES),
            hint="Queues on each broker that producers send to.",
        ),
        Field(
            "read",
            "Read queues",
            str(before.read_queues),
            check=number(0, MOST_QUEUES),
            hint="Queues on each broker that groups read; fewer than before leave messages unread.",
        ),
        Field("perm", "Permission", str(before.perm), [(text, str(perm)) for text, perm in perms]),
        Field(
            "order",
            "Order config",
            str(before.order).lower(),
            truth=True,
            hint="Tells the name servers how many queues each broker has, for ordered messages of 4.x clients.",
        ),
        Field(
            "attributes",
            "Other attributes",
            ",".join(f"{key}={value}" for key, value in attributes.items()),
            check=attribute_problem,
            hint="key=value,key=value, such as cleanup.policy=DELETE.",
        ),
    ]


def _wanted(values: Values, before: TopicDefinition) -> TopicDefinition:
    attributes = attributes_of(values["attributes"])
    kind, had = values["kind"], dict(before.attributes)
    # A topic without the attribute is a NORMAL one: it needs none to stay so.
    if kind != "NORMAL" or MESSAGE_TYPE in had:
        attributes[MESSAGE_TYPE] = kind
    return TopicDefinition(
        values["name"].strip(),
        int(values["read"]),
        int(values["write"]),
        int(values["perm"]),
        values["order"] == "true",
        tuple(sorted(attributes.items())),
        before.filter_type,
        before.sys_flag,
    )


def new_topic_form(session: Session) -> FormDialog:
    """A form for a topic that is not there yet."""
    before = TopicDefinition("", attributes=((MESSAGE_TYPE, "NORMAL"),))

    def make(values: Values) -> CreateTopic:
        return CreateTopic(Place.of_code(values["place"]), _wanted(values, before))

    return FormDialog("New topic", _fields(session, before, None, new=True), make)


def edit_topic_form(session: Session, detail: TopicDetail) -> FormDialog | None:
    """A form for a topic's configuration; None when no broker told of one."""
    before = definition_from(detail.topic.name, detail.config)
    if before is None:
        return None
    known = before

    def make(values: Values) -> EditTopic:
        return EditTopic(Place.of_code(values["place"]), _wanted(values, known), known)

    place = place_of(session, [entry.broker for entry in detail.route])
    return FormDialog(f"Edit {detail.topic.name}", _fields(session, before, place, new=False), make)


def definition_from(name: str, config: Sequence[Setting]) -> TopicDefinition | None:
    """A topic as the first broker of a detail has it."""
    if not config:
        return None
    first = {setting.key: setting.value for setting in config if setting.server == config[0].server}
    plain = {key: first.pop(key, "") for key in ("readQueueNums", "writeQueueNums", "perm", "order")}
    filter_type, flag = first.pop("topicFilterType", "SINGLE_TAG"), first.pop("topicSysFlag", "0")
    if not plain["readQueueNums"].isdigit() or not plain["writeQueueNums"].isdigit() or not flag.isdigit():
        return None
    perm = sum(bit for bit, letter in zip((4, 2, 1), plain["perm"], strict=False) if letter != "-")
    return TopicDefinition(
        name,
        int(plain["readQueueNums"]),
        int(plain["writeQueueNums"]),
        perm,
        plain["order"] == "true",
        tuple(sorted(first.items())),
        filter_type,
        int(flag),
    )


def import_form(session: Session, load: Callable[[Path], str]) -> FormDialog:
    """A form for topics of a file."""
    def make(values: Values) -> ImportTopics | str:
        path = Path(values["path"].strip()).expanduser()
        found = _definitions(path, load)
        if isinstance(found, str):
            return found
        place, overwrite = Place.of_code(values["place"]), values["overwrite"] == "true"
        return ImportTopics(place, found.topics, str(path), overwrite, found.added_up)

    fields = [
        Field(
            "path",
            "File",
            "topics.json",
            check=lambda path: "" if path.strip() else "a name is needed",
            hint='{"topicConfigTable": {name: {…}}}, as an export from here or exportMetadata of mqadmin writes it.',
        ),
        place_field(session, label="To"),
        Field(
            "overwrite",
            "Overwrite",
            "false",
            truth=True,
            hint="Topics that are there and differ become like the file's; without, they stay as they are.",
        ),
    ]
    return FormDialog("Import topics", fields, make)


def _definitions(path: Path, load: Callable[[Path], str]) -> Definitions | str:
    try:
        return read(load(path))
    except OSError as error:
        return f"{path} cannot be read: {error.strerror or error}"
    except UnicodeDecodeError:
        return f"{path} is no text"
    except DefinitionError as error:
        return f"{path}: {error}"
