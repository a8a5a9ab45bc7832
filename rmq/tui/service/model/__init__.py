"""What the screens show: values as a service gives them, at one moment.

Counters are totals since some beginning; `history` makes rates of them, so that a rate is as fresh as the refresh is.
Times are ms since the epoch; 0 means unknown.
"""

from rmq.tui.service.model.clients import (
    CONSUMER,
    PRODUCER,
    ClientDetail,
    Clients,
    Connected,
    HeldQueue,
    Pace,
    Running,
    Wanted,
)
from rmq.tui.service.model.cluster import Broker, Cluster, NameServer, Setting
from rmq.tui.service.model.dead_letters import DeadGroup, DeadLetter, DeadLetters, LetterBody, LetterPlace
from rmq.tui.service.model.groups import Client, Group, GroupDetail, GroupQueue, Subscription
from rmq.tui.service.model.messages import Batch, StoredMessage, Tailed, Track
from rmq.tui.service.model.problem import Problem
from rmq.tui.service.model.rights import AclRule, AclUser, BrokerRights, Rights
from rmq.tui.service.model.topics import Queue, Reader, RouteEntry, Topic, TopicDetail
from rmq.tui.service.model.traces import StepKind, Traced, TraceStep

__all__ = [
    "CONSUMER",
    "PRODUCER",
    "AclRule",
    "AclUser",
    "Batch",
    "Broker",
    "BrokerRights",
    "Client",
    "ClientDetail",
    "Clients",
    "Cluster",
    "Connected",
    "DeadGroup",
    "DeadLetter",
    "DeadLetters",
    "Group",
    "GroupDetail",
    "GroupQueue",
    "HeldQueue",
    "LetterBody",
    "LetterPlace",
    "NameServer",
    "Pace",
    "Problem",
    "Queue",
    "Reader",
    "Rights",
    "RouteEntry",
    "Running",
    "Setting",
    "StepKind",
    "StoredMessage",
    "Subscription",
    "Tailed",
    "Topic",
    "TopicDetail",
    "TraceStep",
    "Traced",
    "Track",
    "Wanted",
]
