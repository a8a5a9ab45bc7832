"""May this user do that? An answer as soon as the question is complete, with the rule that decides."""

from __future__ import annotations

from ipaddress import ip_address
from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from rmq.tui.formats import one_line
from rmq.tui.screens.dialogs import Dialog
from rmq.tui.service.model import Rights
from rmq.tui.service.rights import Answer, answers, resource_asked, users_of
from rmq.tui.widgets.lines import LineInput
from rmq.wire.bodies.auth import Action, by_name

ACTIONS: Final = tuple(action for action in Action if action not in {Action.UNKNOWN, Action.ALL})
_FIELDS: Final = (
    ("user", "User", "name of a user"),
    ("action", "Action", "Pub, Sub, Create, Update, Delete, Get or List"),
    ("resource", "On", "Topic:Orders Group:billing (a bare name is a topic)"),
    ("source", "From IP", "10.0.0.7; rules with addresses need it"),
)


class CanDialog(Dialog):
    """Asks and answers.

    Args:
        rights: users and rules of the brokers.
        user: the user that is filled in.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", "next field", id="can.next", show=False),
        Binding("up", "app.focus_previous", "previous field", id="can.previous", show=False),
    ]

    def __init__(self, rights: Rights, user: str) -> None:
        super().__init__()
        self._rights = rights
        self._user = user

    def compose(self) -> ComposeResult:
        """Four fields above the answer."""
        with Vertical(classes="dialog can") as box:
            box.border_title = "May a user do something?"
            box.border_subtitle = "enter next field · esc closes"
            for key, label, prompt in _FIELDS:
                with Horizontal(classes="field"):
                    yield Static(label, classes="label", markup=False)
                    yield LineInput(prompt, id=f"can-{key}")
            yield Static(id="answer")

    def on_mount(self) -> None:
        """Begins with the first field that is empty."""
        self.query_one("#can-user", LineInput).value = self._user
        self.query_one("#can-action", LineInput).value = str(Action.PUB)
        self.query_one("#can-resource" if self._user else "#can-user", LineInput).focus()
        self.show_answer()

    def _value(self, key: str) -> str:
        return self.query_one(f"#can-{key}", LineInput).value.strip()

    @on(Input.Changed)
    def changed(self, event: Input.Changed) -> None:
        """Answers anew."""
        self.show_answer()

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        """Goes to the next field."""
        event.stop()
        self.focus_next()

    def show_answer(self) -> None:
        """Answers, or says what is missing."""
        text = answered(self._rights, *(self._value(key) for key, _, _ in _FIELDS))
        self.query_one("#answer", Static).update(text)


def answered(rights: Rights, user: str, action: str, resources: str, source: str) -> Text:
    """The answer to a question as it was typed, or what is wrong with it."""
    wanted = by_name(Action, action)
    asked = {word: resource_asked(word) for word in resources.split()}
    wrong = [word for word, resource in asked.items() if resource is None]
    if not user:
        return Text("whom is it about?", "dim")
    if wanted not in ACTIONS:
        return Text(f"the action is one of {', '.join(ACTIONS)}", "dim")
    if not asked:
        return Text("on what: Topic:NAME, Group:NAME or Cluster:NAME", "dim")
    if wrong:
        return Text(f"{one_line(wrong[0])} names no resource: Topic:NAME, Group:NAME or Cluster:NAME", "yellow")
    if source and not _is_address(source):
        return Text(f"{one_line(source)} is no IP address", "yellow")
    parts = []
    for resource in asked.values():
        found = answers(rights, user, wanted, resource or "", source)
        parts += [_part(f"{wanted} on {resource}", answer, alone=len(found) == 1) for answer in found]
    if not parts:
        return Text("no broker has told its users and rules", "yellow")
    known = users_of(rights)
    if user not in known and known:
        parts.append(Text(f"users: {one_line(', '.join(list(known)[:12]))}", "dim"))
    return Text("\n").join(parts)


def _part(what: str, answer: Answer, *, alone: bool) -> Text:
    mark, tone = ("✔ yes", "bold green") if answer.allowed else ("✗ no", "bold red")
    where = "" if alone else f" on {', '.join(answer.brokers)}"
    text = Text.assemble((mark, tone), f"  {one_line(what)}{where}\n", f"  {one_line(answer.why)}")
    for weaker in answer.weaker[:3]:
        text.append(f"\n  weaker: {one_line(weaker)}", "dim")
    for near in answer.near[:4]:
        text.append(f"\n  {one_line(near)}", "dim")
    if answer.enforced is False:
        text.append(f"\n  but {', '.join(answer.brokers)} does not enforce rules: it is allowed", "yellow")
    return text


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
