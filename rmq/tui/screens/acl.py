"""Users and the rules for them, and whether a user may do something."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widget import Widget

from rmq.tui import formats
from rmq.tui.screens.can import CanDialog
from rmq.tui.screens.details import Tab
from rmq.tui.screens.lists import ListScreen
from rmq.tui.service.model import AclRule, AclUser, Problem, Rights
from rmq.tui.service.rights import rules_of, users_of
from rmq.tui.state.seen import Seen, of
from rmq.tui.state.session import Session
from rmq.tui.table.columns import BAD, DIM, GOOD, PLAIN, WARN, Column
from rmq.tui.widgets.grid import Grid
from rmq.tui.widgets.lines import TextLine

MASKED: Final = "••••••"
"""What is shown of a password, whatever its length; passwords are not even kept."""
Row = Seen[AclUser]


@dataclass(frozen=True, slots=True)
class UserDetail:
    """A user, and its rules."""

    user: AclUser
    rules: tuple[AclRule, ...]
    facts: tuple[tuple[str, str], ...]


class UserGrid(Grid):
    """The list of users."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("c", "screen.can", "can?", id="acl.can")]
    HELP: ClassVar[str] = (
        "Users, and subjects that have rules. `c` asks whether a user may do something, and says which rule decides. "
        + Grid.HELP
    )


class AclScreen(ListScreen[AclUser, UserDetail]):
    """The screen of users and rules. One question brings all of them."""

    MODE = "acl"
    NUMBER = 8
    TITLE = "ACL"
    WHAT = "user"
    NONE = "there are no users and no rules"
    LIST = UserGrid
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "can", "can?", id="acl.can_anywhere", show=False),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.rights = Rights()

    # --- what the list is made of ---------------------------------------------------------------------------------

    def columns(self) -> Sequence[Column[Row]]:
        """Columns of the list."""
        return user_columns(self.session)

    def tabs(self) -> Sequence[Tab[UserDetail]]:
        """Rules, and what is known of the user."""
        return [
            Tab(
                "Rules",
                rule_columns(),
                lambda detail: {rule_key(row): row for row in detail.rules},
                lambda name, key: ("listAcl", "-s", f"User:{name}"),
                "no rules: all is refused, but to super users",
            ),
            Tab(
                "User",
                [
                    Column("KEY", 12, lambda row: row[0], grows=True),
                    Column("VALUE", 16, lambda row: row[1], grows=True),
                ],
                lambda detail: {key: (key, value) for key, value in detail.facts},
                lambda name, key: ("getUser", "-u", name),
                "nothing is known",
            ),
        ]

    def compose_body(self) -> Iterable[Widget]:
        """What is to be said about the brokers stands above users and rules."""
        self.note = TextLine(id="acl-note")
        self.note.display = False
        yield self.note
        yield from super().compose_body()

    async def ask_names(self) -> tuple[str, ...] | Problem:
        """Users and rules of all masters."""
        answer = await self.session.service.rights()
        if isinstance(answer, Problem):
            return answer
        self.rights = answer
        return tuple(users_of(answer))

    def show_rows(self) -> None:
        """All that is shown came with the names."""
        now = self.session.now()
        if self.names.value is not None and self.names.problem is None:
            users = users_of(self.rights)
            self.seen = {name: self.seen.get(name, Seen(name)).told(user, now) for name, user in users.items()}
        self.note.say(self._note())
        self.note.display = bool(self.note.text)
        super().show_rows()

    def _note(self) -> Text:
        """What is to be said about the brokers: that one checks nothing, or could not be asked."""
        brokers = self.rights.brokers
        notes = list(dict.fromkeys(broker.note for broker in brokers if broker.note))
        failed = [f"{broker.broker}: {broker.problem}" for broker in brokers if broker.problem is not None]
        text = Text()
        if failed:
            text.append(f" ✗ {formats.one_line('; '.join(failed))} ", "bold red")
        if notes:
            text.append(f" {formats.one_line('; '.join(notes))}", "yellow")
        return text

    def ask_window(self) -> None:
        """Figures came with the names."""

    async def ask_figures(self, name: str) -> AclUser:
        """See `ask_names`."""
        return users_of(self.rights).get(name, AclUser(name))

    async def ask_detail(self, name: str) -> UserDetail | Problem:
        """Nothing has to be asked for."""
        user = users_of(self.rights).get(name, AclUser(name))
        facts = (
            ("name", name),
            ("type", user.kind or "no user, only a subject of rules"),
            ("status", user.status or formats.UNKNOWN),
            ("password", MASKED if user.kind else formats.UNKNOWN),
            ("brokers", ", ".join(user.brokers)),
            ("alike on all", "yes" if user.alike else "no, brokers differ"),
        )
        return UserDetail(user, rules_of(self.rights, name), facts)

    def figures_of(self, detail: UserDetail) -> AclUser:
        """The row of a detail."""
        return detail.user

    def remember(self, figures: AclUser) -> None:
        """Nothing of it goes into the history."""

    def headline(self, name: str, detail: UserDetail | None) -> str:
        """Name, type, status."""
        if detail is None:
            return name
        user = detail.user
        differs = "" if user.alike else "differs between brokers"
        return "  ".join(part for part in (name, user.kind, user.status, differs) if part)

    def problems_of(self, detail: UserDetail) -> tuple[Problem, ...]:
        """The brokers' problems stand above the list."""
        return ()

    def row_command(self, name: str) -> tuple[str, ...]:
        """The user."""
        return ("getUser", "-u", name)

    # --- may a user do something? ---------------------------------------------------------------------------------

    def action_can(self) -> None:
        """Asks whether a user may do something."""
        if not self.rights.brokers:
            self.say("no broker has told its users and rules")
            return
        self.app.push_screen(CanDialog(self.rights, self.list.current or ""))


def rule_key(row: AclRule) -> str:
    """A rule among those for its user."""
    return " ".join(part for part in (row.kind, row.resource, row.decision, row.actions, row.sources) if part)


def user_columns(session: Session) -> list[Column[Row]]:
    """Columns of the list."""

    def brokers(row: Row) -> str:
        user = row.figures
        if user is None:
            return formats.UNKNOWN
        known = session.cluster.value
        masters = {broker.name for broker in known.brokers} if known is not None else set(user.brokers)
        return f"{len(user.brokers)}/{len(masters | set(user.brokers))}"

    def alike(row: Row) -> str:
        return PLAIN if row.figures is None or row.figures.alike else BAD

    def kind_tone(row: Row) -> str:
        return WARN if of("kind")(row) == "Super" else PLAIN

    def status_tone(row: Row) -> str:
        return GOOD if of("status")(row) == "enable" else DIM

    return [
        Column("NAME", 14, lambda row: row.name, grows=True),
        Column("TYPE", 6, lambda row: of("kind")(row) or "—", tone=kind_tone),
        Column("STATUS", 7, lambda row: of("status")(row) or "—", tone=status_tone),
        Column("RULES", 5, lambda row: formats.count(of("rules")(row)), of("rules"), right=True),
        Column("PASSWORD", 8, lambda row: MASKED if of("kind")(row) else "—", tone=lambda row: DIM, least=58),
        Column("BROKERS", 7, brokers, lambda row: len(of("brokers")(row) or ()), alike, right=True, least=48),
    ]


def rule_columns() -> list[Column[AclRule]]:
    """Columns of a user's rules."""
    return [
        Column("DECISION", 8, lambda row: row.decision, tone=lambda row: GOOD if row.decision == "Allow" else BAD),
        Column("RESOURCE", 14, lambda row: row.resource, grows=True),
        Column("ACTIONS", 10, lambda row: row.actions, grows=True),
        Column("FROM", 12, lambda row: row.sources or "anywhere", tone=lambda row: PLAIN if row.sources else DIM),
        Column("KIND", 7, lambda row: row.kind, tone=lambda row: DIM, least=60),
        Column("BROKERS", 10, lambda row: ", ".join(row.brokers), tone=lambda row: DIM, least=78, grows=True),
    ]
