"""A form: fields with labels, each checked as it is filled in, that together make a change which is then proposed.

The form stays below the change's dialog until the change has been carried out, so that a refusal leads back to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final, cast

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Button, Checkbox, Input, Select, Static, TextArea

from rmq.tui.screens.change import ChangeDialog, Phase
from rmq.tui.screens.dialogs import Dialog
from rmq.tui.service.changes.change import Change
from rmq.tui.widgets.lines import LineInput, LinesInput, TextLine, titled

if TYPE_CHECKING:
    from rmq.tui.app import RmqApp

Check = Callable[[str], str]
"""Says what is wrong with a value; nothing when it is right."""
Values = Mapping[str, str]
"""What the fields hold, by their keys; a choice of yes or no is `true` or `false`."""

_FRAME: Final = 9
"""Lines of the terminal that are not for the fields."""
_DIGITS: Final = 20
"""Digits of a number from which it is not read; Python refuses some thousands."""


def anything(value: str) -> str:
    """Every value is right."""
    return ""


def number(least: int, most: int) -> Check:
    """A whole number in a range."""

    def check(value: str) -> str:
        text = value.strip()
        is_number = text.removeprefix("-").isdecimal() and text.isascii() and len(text) < _DIGITS
        if not is_number or not least <= int(text) <= most:
            return f"a whole number from {least} to {most}"
        return ""

    return check


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        key: under which its value is given.
        label: what stands before it.
        value: what it holds at first.
        choices: texts and values to choose from; without any it is a line to type into.
        truth: whether it is a choice of yes or no.
        check: says what is wrong with a value.
        hint: what it is for, shown while it has the focus.
        fixed: it cannot be changed.
        lines: how high it is, for a text of several lines; 1 for a line.
    """

    key: str
    label: str
    value: str = ""
    choices: Sequence[tuple[str, str]] = ()
    truth: bool = False
    check: Check = field(default=anything)
    hint: str = ""
    fixed: bool = False
    lines: int = 1

    def widget(self) -> Widget:
        """What it is filled in with."""
        name = f"field-{self.key}"
        if self.truth:
            return YesNo(self.value == "true", name, disabled=self.fixed)
        if self.choices:
            return Select(self.choices, value=self.value, allow_blank=False, id=name, compact=True, disabled=self.fixed)
        if self.lines > 1:
            area = LinesInput(self.value, id=name, compact=True, disabled=self.fixed, highlight_cursor_line=False)
            area.cursor_blink = False
            area.styles.height = self.lines
            return area
        line = LineInput("", id=name, disabled=self.fixed)
        line.value = self.value
        return line


class Fields(VerticalScroll, inherit_bindings=False):
    """Scrolls with the focus, and leaves up and down to the form."""


class YesNo(Checkbox):
    """A choice that says in a word which it is; space turns it round."""

    def __init__(self, value: bool, identity: str, *, disabled: bool = False) -> None:
        super().__init__(_word(value), value, id=identity, compact=True, disabled=disabled)

    def watch_value(self) -> None:
        """Says the other word."""
        super().watch_value()
        self.label = _word(self.value)


def _word(value: bool) -> str:
    return "yes" if value else "no"


class FormDialog(Dialog):
    """A form over a screen.

    Args:
        title: what it is for.
        fields: from above.
        make: makes the change of the values, or says in a sentence why it cannot be.
        begun: called when the change is under way or done.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "propose", "preview", id="form.preview"),
        Binding("down", "app.focus_next", "next field", id="form.next", show=False),
        Binding("up", "app.focus_previous", "previous field", id="form.previous", show=False),
    ]

    def __init__(
        self,
        title: str,
        fields: Sequence[Field],
        make: Callable[[Values], Change | str],
        begun: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self._begun = begun
        self._title = title
        self._fields = {item.key: item for item in fields}
        self._make = make
        self._touched: set[str] = set()
        self._proposed: ChangeDialog | None = None

    def compose(self) -> ComposeResult:
        """Fields, what is to be said about the one with the focus, and two buttons."""
        with Vertical(classes="dialog form") as box:
            box.border_title = titled(self._title)
            box.border_subtitle = "tab next · enter previews · esc cancels"
            with Fields(id="fields", can_focus=False):
                for item in self._fields.values():
                    with Horizontal(classes="field") as row:
                        row.styles.height = item.lines
                        yield Static(item.label, classes="label", markup=False)
                        yield item.widget()
                        yield TextLine(id=f"remark-{item.key}", classes="remark")
            yield Static(id="hint", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Preview", id="propose", compact=True, variant="primary")
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        """Begins with the first field that can be filled in."""
        self._fit()
        first = next((item for item in self._fields.values() if not item.fixed), None)
        if first is not None:
            self.query_one(f"#field-{first.key}").focus()

    def on_resize(self, event: events.Resize) -> None:
        """Gives the fields what room there is."""
        self._fit()

    def _fit(self) -> None:
        room = max(self.app.size.height - _FRAME, 3)
        self.query_one("#fields").styles.height = min(sum(item.lines for item in self._fields.values()), room)

    # --- values ---------------------------------------------------------------------------------------------------

    @property
    def values(self) -> dict[str, str]:
        """What the fields hold."""
        return {key: self._value(key) for key in self._fields}

    def _value(self, key: str) -> str:
        widget = self.query_one(f"#field-{key}")
        if isinstance(widget, Checkbox):
            return str(widget.value).lower()
        if isinstance(widget, Select):
            return str(widget.value)
        if isinstance(widget, TextArea):
            return widget.text
        return widget.value if isinstance(widget, Input) else ""

    def _check(self, key: str) -> str:
        self._touched.add(key)
        wrong = self._fields[key].check(self._value(key))
        text = Text(f"✗ {wrong}", "bold red") if wrong else Text("")
        self.query_one(f"#remark-{key}", TextLine).say(text)
        return wrong

    @on(Input.Changed)
    @on(Select.Changed)
    @on(Checkbox.Changed)
    @on(TextArea.Changed)
    def changed(self, event: Input.Changed | Select.Changed | Checkbox.Changed | TextArea.Changed) -> None:
        """Says at once what is wrong."""
        event.stop()
        key = (event.control.id or "").removeprefix("field-")
        if key in self._fields:
            self._check(key)
            self._hint()

    @on(events.DescendantFocus)
    def focused_other(self) -> None:
        """Tells what the field is for."""
        self._hint()

    def _hint(self) -> None:
        key = (self.focused.id or "").removeprefix("field-") if self.focused is not None else ""
        item = self._fields.get(key)
        wrong = item.check(self._value(key)) if item is not None and key in self._touched else ""
        text = Text(wrong, "bold red") if wrong else Text(item.hint if item is not None else "", "dim")
        self.query_one("#hint", Static).update(text)

    # --- proposing ------------------------------------------------------------------------------------------------

    def action_propose(self) -> None:
        """Has the change previewed, or goes to the first field that is wrong."""
        wrong = [key for key in self._fields if self._check(key)]
        if wrong:
            self.query_one(f"#field-{wrong[0]}").focus()
            self._hint()
            return
        made = self._make(self.values)
        if isinstance(made, str):
            self.query_one("#hint", Static).update(Text(made, "bold red"))
            return
        app = cast("RmqApp", self.app)
        app.propose(made)
        self._proposed = app.screen if isinstance(app.screen, ChangeDialog) else None

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        """Enter in a line previews."""
        event.stop()
        self.action_propose()

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        """One of the two buttons."""
        event.stop()
        if event.button.id == "cancel":
            self.dismiss()
        else:
            self.action_propose()

    @on(events.ScreenResume)
    def resumed(self) -> None:
        """Closes once its change is under way or done; else the user may mend what was refused."""
        if self._proposed is not None and self._proposed.phase in {Phase.RUNNING, Phase.ENDED}:
            if self._begun is not None:
                self._begun()
            self.dismiss()
        self._proposed = None
