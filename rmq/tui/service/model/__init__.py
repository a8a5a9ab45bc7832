"""What the screens show: values as a service gives them, at one moment.

Counters are totals since some beginning; `history` makes rates of them, so that a rate is as fresh as the refresh is.
Times are ms since the epoch; 0 means unknown.
"""

from rmq.tui.service.model.cluster import Broker, Cluster, NameServer, Setting
from rmq.tui.service.model.groups import Client, Group, GroupDetail, GroupQueue, Subscription
from rmq.tui.service.model.problem import Problem
from rmq.tui.service.model.topics import Queue, Reader, RouteEntry, Topic, TopicDetail

__all__ = [
    "Broker",
    "Client",
    "Cluster",
    "Group",
    "GroupDetail",
    "GroupQueue",
    "NameServer",
    "Problem",
    "Queue",
    "Reader",
    "RouteEntry",
    "Setting",
    "Subscription",
    "Topic",
    "TopicDetail",
]
