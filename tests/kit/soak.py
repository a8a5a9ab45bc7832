"""What a soak (the Java program `Soak`) says it did, and what is wrong with that.

The broker may deliver a message more than once, but only for a reason: the producer sent it again because an attempt
was not answered, or the broker was killed between the two deliveries and lost how far it or its consumers had come.
It may never lose what it acknowledged, deliver what was rolled back, deliver early, or let an ordered key skip a
number.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

FAILURES_IN_ALL = 2
PLAIN = frozenset({"sync", "async", "batch"})
GROUPS = {
    "sync": ("all", "popping"),
    "async": ("all", "popping"),
    "batch": ("all", "popping"),
    "ordered": ("ordered",),
    "level": ("delays",),
    "timer": ("delays",),
    "transaction": ("transactions",),
    "retry": ("retrying",),
    "request": ("answering",),
}
"""Who is to be handed every message of a kind; filters come on top."""
KEPT = frozenset({"SoakPlain", "SoakOrdered", "SoakRetry"})
"""Topics in which a message stays at the place at which it was acknowledged."""
INHERITING = frozenset({"retry", "timer", "transaction"})
"""Kinds whose copies after a kill may come of what was stored twice before it."""
SKEW = 100
"""Milliseconds by which the moment that we note for a kill may be wrong."""
SETTLING = 20_000
"""Milliseconds after a kill in which several consumers of a group may still pass queues to one another."""


@dataclass
class Sent:
    """A message of the program's own making: when it was tried, and when its delivery may be at the earliest."""

    kind: str
    note: str
    attempts: list[int]
    due: int


@dataclass(frozen=True)
class Delivery:
    """What a listener was handed; times in milliseconds since the epoch."""

    topic: str
    queue_id: int
    offset: int
    reconsume_times: int
    stored_at: int
    at: int

    @property
    def place(self) -> tuple[str, int, int]:
        return self.topic, self.queue_id, self.offset


@dataclass
class Evidence:
    """The program's lines, sorted."""

    sent: dict[str, Sent] = field(default_factory=dict)
    acknowledged: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    told: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    delivered: dict[str, dict[str, list[Delivery]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    in_order: list[tuple[str, Delivery]] = field(default_factory=list)
    kills: list[int] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)

    def read(self, lines: Iterable[str]) -> None:
        """Takes in further lines."""
        for line in lines:
            letter, *fields = line.rstrip("\n").split("\t")
            getattr(self, f"_read_{letter}")(*fields)

    def _read_S(self, name: str, kind: str, at: str, due: str, note: str) -> None:
        known = self.sent.setdefault(name, Sent(kind, note, [], int(due)))
        known.attempts.append(int(at))

    def _read_A(self, name: str, topic: str, queue_id: str, offset: str, at: str) -> None:
        self.acknowledged[name] = (topic, int(queue_id), int(offset))

    def _read_X(self, name: str, at: str, reason: str) -> None:
        self.failures[reason.partition(":")[0].rpartition(".")[2]] += 1

    def _read_T(self, name: str, state: str, at: str) -> None:
        self.told[name].add(state)

    def _read_R(self, name: str, at: str) -> None:
        self.answered.add(name)

    def _read_C(self, group: str, name: str, *fields: str) -> None:
        topic, queue_id, offset, times, stored_at, at = fields
        delivery = Delivery(topic, int(queue_id), int(offset), int(times), int(stored_at), int(at))
        self.delivered[group][name].append(delivery)
        if group == "ordered":
            self.in_order.append((name, delivery))

    def deliveries(self, group: str, name: str) -> list[Delivery]:
        return self.delivered[group].get(name, []) if group in self.delivered else []


def rolled_back(sent: Sent) -> bool:
    return sent.kind == "transaction" and sent.note.endswith("rollback")


def groups_of(sent: Sent) -> Iterator[str]:
    """The groups that the message is for."""
    if rolled_back(sent):
        return
    yield from GROUPS[sent.kind]
    if sent.kind in PLAIN:
        tag, number = sent.note[0], int(sent.note[1:])
        if tag in "ab":
            yield "tags"
        if 3 <= number <= 6 and tag in "ac":
            yield "sql"


def missing(evidence: Evidence, dead: Iterable[str]) -> list[str]:
    """Acknowledged messages that have not come to where they belong.

    Args:
        dead: what is in the dead-letter topic.
    """
    found, buried = [], set(dead)
    for name in evidence.acknowledged:
        sent = evidence.sent[name]
        for group in groups_of(sent):
            got = evidence.deliveries(group, name)
            if not got:
                found.append(f"{name} was acknowledged and did not come to {group}")
            elif sent.kind == "retry":
                found += _missing_attempts(name, int(sent.note), got, name in buried)
    return found


def _missing_attempts(name: str, fails: int, got: list[Delivery], is_buried: bool) -> Iterator[str]:
    """Every attempt is a delivery; who has failed them all is a dead letter."""
    seen = {each.reconsume_times for each in got}
    wanted = set(range(min(fails, FAILURES_IN_ALL) + 1))
    if not wanted <= seen:
        yield f"{name} is to fail {fails} times and was tried as {sorted(seen)}"
    if fails > FAILURES_IN_ALL and not is_buried:
        yield f"{name} has failed for good and is no dead letter"


def wrong(evidence: Evidence, dead: Iterable[str], held: dict[tuple[str, int, int], str]) -> list[str]:
    """What never may be, however long one waits.

    Args:
        dead: what is in the dead-letter topic.
        held: what the broker holds at each place of the topics without delay and transactions.
    """
    found = []
    for name, place in evidence.acknowledged.items():
        if place[0] in KEPT and held.get(place) != name:
            found.append(f"{name} was acknowledged at {place}, where {held.get(place)} is")
    for group, names in evidence.delivered.items():
        for name, got in names.items():
            sent = evidence.sent.get(name)
            if sent is None:
                found.append(f"{name} came to {group} and was never sent")
                continue
            if group not in groups_of(sent):
                found.append(f"{name} ({sent.note}) came to {group}")
            found += [f"{name} came {sent.due - each.at} ms too early" for each in got if each.at < sent.due]
    for name, states in evidence.told.items():
        if states >= {"COMMIT_MESSAGE", "ROLLBACK_MESSAGE"}:
            found.append(f"{name} was told to be committed and rolled back")
    found += [f"{name} is a dead letter" for name in dead if evidence.sent[name].note != str(FAILURES_IN_ALL + 1)]
    found += _out_of_order(evidence)
    found += [text for text, explanation in duplicates(evidence) if explanation is None]
    return found


def _out_of_order(evidence: Evidence) -> Iterator[str]:
    """A key's number that is new is the next one; an old one was seen before, or was sent more than once."""
    newest: dict[str, int] = {}
    seen: set[tuple[str, int, int]] = set()
    for name, delivery in evidence.in_order:
        key, _, number = name.removeprefix("ordered-").partition("-")
        expected = newest.get(key, -1) + 1
        if int(number) > expected:
            yield f"{name} came when key {key} was at {expected - 1}"
        elif int(number) < expected and delivery.place not in seen and len(evidence.sent[name].attempts) == 1:
            yield f"{name} went back, and its place is new"
        seen.add(delivery.place)
        newest[key] = max(int(number), expected - 1)


def duplicates(evidence: Evidence) -> Iterator[tuple[str, str | None]]:
    """Each delivery beyond the first to a group, and its explanation; None where there is none.

    The attempts after a failure are no duplicates, but the same attempt twice is.
    """
    for group, names in evidence.delivered.items():
        for name, got in names.items():
            sent = evidence.sent.get(name)
            if sent is None or len(got) == 1:
                continue
            first: dict[int, Delivery] = {}
            for each in sorted(got, key=lambda delivery: delivery.at):
                attempt = each.reconsume_times if sent.kind == "retry" else 0
                earlier = first.setdefault(attempt, each)
                if earlier is not each:
                    text = f"{sent.kind} {name} to {group} at {earlier} and again at {each}"
                    yield text, _explanation(evidence, sent, earlier, each)


def _explanation(evidence: Evidence, sent: Sent, first: Delivery, again: Delivery) -> str | None:
    """A kill explains a copy when it came between the two.

    A retry inherits the copies of the attempt before. A half message, and with Apache a timed one, may be there twice
    when a kill has undone the progress of those who look after it, and then both come to their ends. The ordered group
    has two consumers: one that gets the other's queue begins where the other's progress was last kept.
    """
    is_copy = again.place != first.place
    if is_copy and len(sent.attempts) > 1:
        return "sent again"
    begin = sent.attempts[0] if sent.kind in INHERITING else first.stored_at
    if sent.kind == "ordered":
        begin -= SETTLING
    end = again.stored_at if is_copy else again.at
    if any(begin - SKEW <= kill <= end + SKEW for kill in evidence.kills):
        return "stored again after a kill" if is_copy else "same place after a kill"
    return None


def summary(evidence: Evidence, dead: Iterable[str]) -> str:
    """What happened, for people."""
    lines = [f"{len(evidence.kills)} kills; failed attempts: {dict(evidence.failures)}"]
    lines.append(f"{'kind':12} {'messages':>9} {'acknowledged':>13} {'attempts':>9} {'delivered':>10}")
    by_kind: dict[str, list[str]] = defaultdict(list)
    for name, sent in evidence.sent.items():
        by_kind[sent.kind].append(name)
    for kind, names in by_kind.items():
        ours = evidence.answered if kind == "request" else evidence.acknowledged
        came = sum(len(each.get(name, ())) for each in evidence.delivered.values() for name in names)
        attempts = sum(len(evidence.sent[name].attempts) for name in names)
        lines.append(f"{kind:12} {len(names):9} {sum(n in ours for n in names):13} {attempts:9} {came:10}")
    outcomes = Counter(sent.note for sent in evidence.sent.values() if sent.kind == "transaction")
    lines.append(f"transactions: {dict(outcomes)}; dead letters: {len(set(dead))}")
    for kind in ("level", "timer"):
        late = sorted(
            evidence.delivered["delays"][name][0].at - evidence.sent[name].due
            for name in by_kind[kind]
            if name in evidence.delivered["delays"]
        )
        if late:
            lines.append(f"{kind}: late by {late[len(late) // 2]} ms (median), {late[-1]} ms (most)")
    counted: Counter[tuple[str, str, str]] = Counter()
    for text, explanation in duplicates(evidence):
        kind, _, _, group = text.split()[:4]
        counted[kind, group, explanation or "UNEXPLAINED"] += 1
    lines.append("duplicates:" + ("" if counted else " none"))
    lines += [f"  {kind:12} {group:12} {why:28} {count:6}" for (kind, group, why), count in sorted(counted.items())]
    return "\n".join(lines)
