"""The cluster: brokers with what goes through them, and name servers with how their views differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from rmq.tui import formats
from rmq.tui.screens.charts import RATES, RATES_TITLE, chart_tab
from rmq.tui.screens.config import ConfigScreen
from rmq.tui.screens.details import Tab
from rmq.tui.screens.header import Step
from rmq.tui.screens.lists import ListScreen
from rmq.tui.screens.topic_tables import setting_columns, settings
from rmq.tui.service.changes.brokers import AddWritePerm, ShutdownBroker, WipeWritePerm
from rmq.tui.service.model import Broker, NameServer, Problem, Setting
from rmq.tui.state.sampling import WHOLE, broker_key
from rmq.tui.state.seen import Seen, of
from rmq.tui.state.session import Session
from rmq.tui.table.columns import ACCENT, BAD, DIM, GOOD, PLAIN, WARN, Column
from rmq.tui.widgets.chart import Chart
from rmq.tui.widgets.grid import Grid

_TREND = 8
_LOW = 30
"""Lines from which there is room for a chart under the tables."""
_FULL = 0.85
"""Part of a disk from which it is a worry."""
Row = Seen[Broker]


@dataclass(frozen=True, slots=True)
class BrokerDetail:
    """A broker and its settings, or why they cannot be told."""

    broker: Broker
    config: tuple[Setting, ...] | Problem


class ClusterScreen(ListScreen[Broker, BrokerDetail]):
    """The screen of brokers and name servers. Brokers come with the header's figures: nothing is asked twice."""

    MODE = "cluster"
    NUMBER = 1
    TITLE = "Cluster"
    WHAT = "broker"
    SAMPLES = True
    BINDINGS: ClassVar[list[BindingType]] = [Binding("e", "settings", "settings", id="cluster.settings")]
    CHANGES: ClassVar[list[BindingType]] = [
        Binding("w", "wipe", "no writes", id="cluster.wipe"),
        Binding("W", "give", "writes", id="cluster.give"),
        Binding("K", "shutdown", "shut down", id="cluster.shutdown"),
    ]

    def columns(self) -> Sequence[Column[Row]]:
        """Columns of the list."""
        return broker_columns(self.session)

    def tabs(self) -> Sequence[Tab[BrokerDetail]]:
        """Tabs of the pane."""
        return [
            Tab(
                "Figures",
                setting_columns()[:2],
                lambda detail: settings([Setting("", key, value) for key, value in detail.broker.figures]),
                lambda name, key: ("brokerStatus", "-b", name),
                "the broker told nothing",
            ),
            Tab(
                "Config",
                setting_columns()[:2],
                lambda detail: {} if isinstance(detail.config, Problem) else settings(detail.config),
                lambda name, key: ("getBrokerConfig", "-b", name),
                "the broker told nothing",
            ),
            chart_tab(
                self.session,
                lambda detail: broker_key(detail.broker.address),
                lambda name, key: ("brokerStatus", "-b", name),
                lag=False,
            ),
        ]

    def compose_lists(self) -> Iterable[Widget]:
        """Brokers above name servers."""
        yield from super().compose_lists()
        self.servers = Grid(nameserver_columns(), label="name servers", empty="asking…", identity="nameservers")
        self.servers.border_title = "Name servers"
        yield self.servers
        self.chart = Chart(f"All brokers  {RATES_TITLE}", RATES, identity="rates")
        yield self.chart

    def on_resize(self, event: events.Resize) -> None:
        """Draws the whole cluster where there is room under the tables."""
        super().on_resize(event)
        self.set_class(event.size.height < _LOW, "-low")

    def poll(self) -> None:
        """The application asks for the cluster; only the pane is asked for here."""
        if not self.is_asking("detail"):
            self.look()

    def poll_again(self) -> None:
        """See `poll`."""
        self.look()

    def on_mount(self) -> None:
        """Shows what is known already."""
        super().on_mount()
        self.cluster_changed()

    def cluster_changed(self) -> None:
        """Takes brokers and name servers from the session."""
        feed, now = self.session.cluster, self.session.now()
        if feed.value is not None and feed.at != self.names.at:
            self.names.take(self.names.begin(), tuple(broker.address for broker in feed.value.brokers), feed.at)
            before = self.seen
            self.seen = {
                broker.address: before.get(broker.address, Seen(broker.address)).told(broker, now)
                for broker in feed.value.brokers
            }
            self.list.empty = "no broker is registered"
            self.servers.update_rows({server.address: server for server in feed.value.nameservers})
        if feed.problem is not None and feed.value is None:
            self.list.empty = self.servers.empty = "no answer"
            self.list.refresh_line(1)
            self.servers.refresh_line(1)
        elif feed.problem is not None and feed.value is not None:
            self.seen = {
                name: Seen(name, row.figures, row.at or feed.at, feed.problem, feed.since)
                for name, row in self.seen.items()
            }
        self.show_rows()
        self.chart.show(self.session.timelines.of(WHOLE), now)
        self.show_detail()
        self._reach_wanted()
        super().cluster_changed()

    def ask_window(self) -> None:
        """Brokers come with the cluster."""

    async def ask_detail(self, name: str) -> BrokerDetail | Problem:
        """A broker's settings, beside what is known of it."""
        config = await self.session.service.broker_config(name)
        row = self.seen.get(name)
        if row is None or row.figures is None:
            return config if isinstance(config, Problem) else Problem("the broker has gone", name)
        return BrokerDetail(row.figures, config)

    def detail_taken(self, detail: BrokerDetail) -> None:
        """The row has its figures from the cluster."""

    def headline(self, name: str, detail: BrokerDetail | None) -> str:
        """Name, role, address, version."""
        row = self.seen.get(name)
        broker = row.figures if row is not None else None
        if broker is None:
            return name
        return "  ".join(part for part in (broker.name, broker.role, name, broker.version) if part)

    def steps(self) -> list[Step]:
        """See `FrameScreen`; a broker is known by its name."""
        (title, address), *others = super().steps()
        row = self.seen.get(address or "")
        broker = row.figures if row is not None else None
        return [(title, broker.name if broker is not None else address), *others]

    def problems_of(self, detail: BrokerDetail) -> tuple[Problem, ...]:
        """The settings, when they are missing."""
        return (detail.config,) if isinstance(detail.config, Problem) else ()

    def row_command(self, name: str) -> tuple[str, ...]:
        """What a broker says of itself."""
        return ("brokerStatus", "-b", name)

    def command_for(self, grid: Grid, key: str) -> str:
        """Name servers have one for themselves."""
        if grid is self.servers:
            return f"mqadmin getNamesrvConfig -n {key}"
        return super().command_for(grid, key)

    # --- changes --------------------------------------------------------------------------------------------------

    @property
    def broker(self) -> Broker | None:
        """The broker under the cursor."""
        row = self.seen.get(self.list.current or "")
        return row.figures if row is not None else None

    def action_settings(self) -> None:
        """All settings of the broker under the cursor, and the way to change them."""
        if self.broker is not None:
            self.app.push_screen(ConfigScreen(self.session, self.broker))

    def action_wipe(self) -> None:
        """Proposes to take the write permission from the broker under the cursor."""
        if self.broker is not None:
            self.rmq.propose(WipeWritePerm(self.broker.name))

    def action_give(self) -> None:
        """Proposes to give it back."""
        if self.broker is not None:
            self.rmq.propose(AddWritePerm(self.broker.name))

    def action_shutdown(self) -> None:
        """Proposes to end the broker under the cursor."""
        if self.broker is not None:
            self.rmq.propose(ShutdownBroker(self.broker.name, self.broker.address))

    @on(Grid.Selected, "#nameservers")
    def server_selected(self, message: Grid.Selected) -> None:
        """Says in full how a name server's view differs."""
        message.stop()
        server: NameServer | None = self.servers.rows.get(message.key or "")
        if server is not None:
            self.say(f"{server.address}: {_view(server)}")


def broker_columns(session: Session) -> list[Column[Row]]:
    """Columns of brokers."""
    history = session.history

    def told(row: Row) -> bool:
        return row.figures is not None and row.figures.problem is None

    def rate(way: str) -> Any:
        return lambda row: history.last(("broker", row.name, way))

    def rates(row: Row) -> list[float]:
        return history.values(("broker", row.name, "in"))

    def disk(row: Row) -> float | None:
        return of("disk")(row) if told(row) else None

    def since(key: str) -> Any:
        return lambda row: session.now() - of(key)(row) if told(row) and of(key)(row) else None

    def number(key: str) -> Any:
        return lambda row: formats.count(of(key)(row)) if told(row) else formats.UNKNOWN

    age, uptime = since("earliest"), since("started")
    return [
        Column(
            "NAME",
            12,
            lambda row: of("name")(row) or row.name,
            tone=lambda row: BAD if row.problem else GOOD,
            grows=True,
        ),
        Column("ROLE", 6, lambda row: of("role")(row) or formats.UNKNOWN),
        *_standing_columns(),
        Column("VERSION", 8, lambda row: of("version")(row) or formats.UNKNOWN, least=84),
        Column("IN/s", 6, lambda row: formats.rate(rate("in")(row)), rate("in"), right=True),
        Column("OUT/s", 6, lambda row: formats.rate(rate("out")(row)), rate("out"), right=True),
        Column("TREND", _TREND, lambda row: formats.sparkline(rates(row), _TREND), rate("in"), lambda row: ACCENT),
        Column(
            "DISK",
            4,
            lambda row: formats.UNKNOWN if disk(row) is None else formats.percent(disk(row) or 0.0),
            disk,
            lambda row: WARN if (disk(row) or 0.0) >= _FULL else PLAIN,
            right=True,
        ),
        Column("LOG AGE", 8, lambda row: formats.span(age(row)), age, right=True, least=72),
        Column("UP", 8, lambda row: formats.span(uptime(row)), uptime, right=True, least=62),
        Column("PC ms", 5, number("page_cache_wait"), of("page_cache_wait"), right=True, least=92),
        Column("TIMER", 7, number("timer_backlog"), of("timer_backlog"), right=True, least=100),
        Column("ADDRESS", 21, lambda row: row.name, tone=lambda row: DIM, least=110),
    ]


def _standing_columns() -> list[Column[Row]]:
    """Columns of masters that have slaves, and of these."""

    def of_slave(text: Callable[[int], str], key: str) -> Callable[[Row], str]:
        def shown(row: Row) -> str:
            if row.figures is None or row.figures.role != "slave":
                return ""
            value = of(key)(row)
            return formats.UNKNOWN if value is None else text(value)

        return shown

    return [
        Column("SYNC", 4, _sync, tone=_sync_tone, optional=True),
        Column("LAG B", 5, of_slave(formats.short, "lag"), of("lag"), right=True, optional=True),
        Column("BEHIND", 6, of_slave(formats.took, "lag_millis"), of("lag_millis"), right=True, optional=True),
    ]


def _sync(row: Row) -> str:
    """Whether a slave is in step; of a master how many of its slaves are."""
    broker = row.figures
    if broker is None or (broker.role == "master" and not broker.slaves):
        return ""
    if broker.role == "slave":
        return formats.UNKNOWN if broker.in_sync is None else "yes" if broker.in_sync else "no"
    return formats.UNKNOWN if broker.slaves_in_sync is None else f"{broker.slaves_in_sync}/{broker.slaves}"


def _sync_tone(row: Row) -> str:
    broker = row.figures
    if broker is None:
        return PLAIN
    lacking = broker.slaves_in_sync is not None and broker.slaves_in_sync < broker.slaves
    return BAD if lacking or broker.in_sync is False else PLAIN


def nameserver_columns() -> list[Column[NameServer]]:
    """Columns of name servers."""
    return [
        Column("ADDRESS", 21, lambda row: row.address, tone=lambda row: BAD if row.problem else GOOD),
        Column("BROKERS", 7, lambda row: formats.UNKNOWN if row.problem else str(row.brokers), right=True),
        Column("VIEW", 20, _view, tone=lambda row: WARN if row.missing or row.problem else PLAIN, grows=True),
    ]


def _view(server: NameServer) -> str:
    if server.problem is not None:
        return str(server.problem)
    return f"does not know {', '.join(server.missing)}" if server.missing else "complete"
