"""Counts what the broker does, and how fast.

Counting is two additions per message, for at most so many topics and groups as `MOST_KEYS` says; rates come from
samples that a clock takes: the figures of the last ten seconds, minute and ten minutes in the broker's runtime
information, and per topic and group those of the last minute, hour and day that tools ask for by name.

Source: BrokerStatsManager, StatsItem, StoreStatsService, BrokerStats.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable
from typing import Final

from rmq.remoting.reactor import Clock, Repeat
from rmq.wire.bodies.broker import BrokerStatsData, BrokerStatsItem

SAMPLE_SECONDS: Final = 10.0
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_MINUTE_SAMPLES: Final = 61
_HOUR_SAMPLES: Final = 61
_DAY_SAMPLES: Final = 25

TOPIC_PUT_NUMS: Final = "TOPIC_PUT_NUMS"
TOPIC_PUT_SIZE: Final = "TOPIC_PUT_SIZE"
GROUP_GET_NUMS: Final = "GROUP_GET_NUMS"
GROUP_GET_SIZE: Final = "GROUP_GET_SIZE"
SNDBCK_PUT_NUMS: Final = "SNDBCK_PUT_NUMS"
BROKER_PUT_NUMS: Final = "BROKER_PUT_NUMS"
BROKER_GET_NUMS: Final = "BROKER_GET_NUMS"
MOST_KEYS: Final = 4096
"""Most topics, and most pairs of topic and group, that are counted one by one: clients name them as they like."""
_NAMES: Final = (
    TOPIC_PUT_NUMS, TOPIC_PUT_SIZE, GROUP_GET_NUMS, GROUP_GET_SIZE, SNDBCK_PUT_NUMS, BROKER_PUT_NUMS, BROKER_GET_NUMS,
)  # fmt: skip


class _Samples:
    """The last so many samples of one counter, oldest first, packed: there are thousands of these."""

    __slots__ = ("_most", "_times", "_values")

    def __init__(self, most: int) -> None:
        self._most = most
        self._times = array("d")
        self._values = array("q")

    def add(self, time: float, value: int, step: float) -> None:
        """Takes a sample unless the last one is younger than `step`."""
        if self._times and time - self._times[-1] < step - 1:
            return
        self._times.append(time)
        self._values.append(value)
        if len(self._times) > self._most:
            del self._times[0], self._values[0]

    def span(self, seconds: float) -> BrokerStatsItem:
        """Sum and rate of what was counted in the last so many seconds."""
        times, values = self._times, self._values
        if len(times) < 2:
            return BrokerStatsItem()
        last = times[-1]
        first = next(index for index, time in enumerate(times) if last - time <= seconds + 1)
        total, elapsed = values[-1] - values[first], last - times[first]
        return BrokerStatsItem(sum=total, tps=total / elapsed if elapsed else 0.0)


class _History:
    """Samples of one counter: fine ones for the last minutes, coarse ones for hour and day."""

    __slots__ = ("_day", "_hour", "_minute")

    def __init__(self) -> None:
        self._minute = _Samples(_MINUTE_SAMPLES)
        self._hour = _Samples(_HOUR_SAMPLES)
        self._day = _Samples(_DAY_SAMPLES)

    def add(self, time: float, value: int) -> None:
        self._minute.add(time, value, SAMPLE_SECONDS)
        self._hour.add(time, value, _MINUTE)
        self._day.add(time, value, _HOUR)

    def minute(self) -> BrokerStatsItem:
        return self._minute.span(_MINUTE)

    def hour(self) -> BrokerStatsItem:
        return self._hour.span(_HOUR)

    def day(self) -> BrokerStatsItem:
        return self._day.span(_DAY)

    def rate(self, seconds: float) -> float:
        return self._minute.span(seconds).tps


class BrokerStats:
    """All counters of a broker.

    Args:
        clock: tells time and calls later.
        cluster: key of the counters that stand for the whole broker.
        now: milliseconds since the epoch, for the daily totals.
    """

    def __init__(self, clock: Clock, cluster: str, now: Callable[[], int]) -> None:
        self._clock = clock
        self._cluster = cluster
        self._now = now
        self._values: dict[str, defaultdict[str, int]] = {name: defaultdict(int) for name in _NAMES}
        self._topic_nums = self._values[TOPIC_PUT_NUMS]
        self._topic_size = self._values[TOPIC_PUT_SIZE]
        self._group_nums = self._values[GROUP_GET_NUMS]
        self._group_size = self._values[GROUP_GET_SIZE]
        self._histories: dict[tuple[str, str], _History] = {}
        self._totals: dict[str, _History] = defaultdict(_History)
        self.put_total = 0
        self.put_bytes = 0
        self.put_failures = 0
        self.get_total = 0
        self.get_found = 0
        self.get_miss = 0
        self.boot_time = now()
        self._day = self._midnight()
        self.put_yesterday_morning = self.put_this_morning = 0
        self.get_yesterday_morning = self.get_this_morning = 0
        self._sampler = Repeat(clock, self.sample)

    def start(self) -> None:
        """Begins to take samples."""
        self.sample()
        self._sampler.start(SAMPLE_SECONDS)

    def stop(self) -> None:
        """Ends that."""
        self._sampler.stop()

    # --- counting -------------------------------------------------------------------------------------------------

    def put(self, topic: str, count: int, size: int) -> None:
        """Messages were stored."""
        if topic in self._topic_nums or len(self._topic_nums) < MOST_KEYS:
            self._topic_nums[topic] += count
            self._topic_size[topic] += size
        self.put_total += count
        self.put_bytes += size

    def sent_back(self, topic: str, group: str) -> None:
        """A group sent a message of this topic back."""
        key, values = f"{topic}@{group}", self._values[SNDBCK_PUT_NUMS]
        if key in values or len(values) < MOST_KEYS:
            values[key] += 1

    def put_failed(self) -> None:
        """A message was not stored."""
        self.put_failures += 1

    def got(self, topic: str, group: str, count: int, size: int) -> None:
        """Messages were handed to a group."""
        key = f"{topic}@{group}"
        if key in self._group_nums or len(self._group_nums) < MOST_KEYS:
            self._group_nums[key] += count
            self._group_size[key] += size
        self.get_total += count
        self.get_found += 1

    def forget(self, key: str) -> None:
        """A topic or group is gone: drops its counters, so that their number stays bounded."""
        for values in self._values.values():
            for name in [name for name in values if key in name.split("@")]:
                del values[name]
        for entry in [entry for entry in self._histories if key in entry[1].split("@")]:
            del self._histories[entry]

    # --- asking ---------------------------------------------------------------------------------------------------

    def view(self, name: str, key: str) -> BrokerStatsData | None:
        """Figures of one counter, or None when nothing was counted under this name and key."""
        history = self._histories.get((name, key))
        if history is None:
            return None
        return BrokerStatsData(stats_minute=history.minute(), stats_hour=history.hour(), stats_day=history.day())

    def group_rate(self, topic: str, group: str) -> float:
        """Messages a second that the group took in the last minute."""
        history = self._histories.get((GROUP_GET_NUMS, f"{topic}@{group}"))
        return history.minute().tps if history else 0.0

    def rates(self, name: str) -> str:
        """Three rates of a total (`put`, `got`, `found`, `miss`, `pulls`): over ten seconds, one and ten minutes."""
        history = self._totals[name]
        return " ".join(str(history.rate(seconds)) for seconds in (10.0, 60.0, 600.0))

    def sample(self) -> None:
        """Takes a sample of every counter, and notes the totals at midnight."""
        now = self._clock.seconds()
        self._values[BROKER_PUT_NUMS][self._cluster] = self.put_total
        self._values[BROKER_GET_NUMS][self._cluster] = self.get_total
        for name, values in self._values.items():
            for key, value in values.items():
                history = self._histories.get((name, key))
                if history is None:
                    history = self._histories[name, key] = _History()
                    if value:
                        history.add(now - SAMPLE_SECONDS, 0)
                history.add(now, value)
        totals = {
            "put": self.put_total,
            "got": self.get_total,
            "found": self.get_found,
            "miss": self.get_miss,
            "pulls": self.get_found + self.get_miss,
        }
        for name, value in totals.items():
            self._totals[name].add(now, value)
        day = self._midnight()
        if day != self._day:
            self._day = day
            self.put_yesterday_morning, self.put_this_morning = self.put_this_morning, self.put_total
            self.get_yesterday_morning, self.get_this_morning = self.get_this_morning, self.get_total

    def _midnight(self) -> int:
        return self._now() // 86_400_000
