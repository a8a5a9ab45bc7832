"""Reads a subcommand's arguments as Apache's mqadmin does.

Apache's tool uses the default parser of commons-cli 1.5.0. What it accepts, for an option `t,topic` with a value and
flags `c` and `l`:

    -t v   -tv   -t=v   --topic v   --topic=v   -topic v   -topic=v   -topicvalue   --top v   -cl   -clt v

A long name may be cut as long as it stays unambiguous; an exact name wins. After an option that wants a value, the
next word is its value unless it looks like a known option (a negative number never does). A pair of quotes around
such a word is taken off. `--` ends the options. Words without a dash are left over and ignored. The first value
counts when an option is repeated. Checks come in this order: each word as it is read, a missing value, missing
options; so `-h` does not help while a required option is missing.

`extras` are options that Apache's commands do not have. They match only by their exact name, and only where the
command has none of that name, so they change no command line that Apache's tool understands.

Source: org.apache.commons.cli.DefaultParser, Options, ServerUtil.parseCmdLine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rmq.admin.options import Declaration, Group, Option


class UsageError(Exception):
    """The command line is wrong; the text says how, in Apache's words.

    Attributes:
        unknown: the word that is no option, or "".
    """

    def __init__(self, text: str, unknown: str = "") -> None:
        super().__init__(text)
        self.unknown = unknown


class Parsed:
    """The options that were given.

    Attributes:
        words: what was left over.
    """

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._given: set[str] = set()
        self.words: list[str] = []

    def given(self, key: str) -> bool:
        """Whether the option was given; `key` is its short name, or the long one of an option without a short."""
        return key in self._given

    def get(self, key: str) -> str | None:
        """The option's value without blanks around it, or None when it was not given."""
        value = self._values.get(key)
        return None if value is None else value.strip()

    def add(self, option: Option) -> None:
        """Notes that the option was given."""
        self._given.add(option.key)

    def add_value(self, option: Option, value: str) -> None:
        """Notes the option's value; the first one stays."""
        self._values.setdefault(option.key, value)


def parse(declared: Iterable[Declaration], arguments: Sequence[str], extras: Iterable[Option] = ()) -> Parsed:
    """Reads arguments.

    Raises:
        UsageError: they are not what the options allow.
    """
    return _Parse(_Table(declared, extras)).run(arguments)


class _Table:
    """Options by name."""

    def __init__(self, declared: Iterable[Declaration], extras: Iterable[Option]) -> None:
        self.required: list[Declaration] = []
        self.group_of: dict[str, Group] = {}
        self._short: dict[str, Option] = {}
        self._long: dict[str, Option] = {}
        for item in declared:
            if item.required:
                self.required.append(item)
            for option in item.options if isinstance(item, Group) else (item,):
                self._add(option)
                if isinstance(item, Group):
                    self.group_of[option.key] = item
        self._extra_long: dict[str, Option] = {}
        for option in extras:
            if option.short:
                self._short.setdefault(option.short, option)
            self._extra_long[option.long] = option

    def _add(self, option: Option) -> None:
        if option.short:
            self._short[option.short] = option
        if option.long:
            self._long[option.long] = option

    def short(self, name: str) -> Option | None:
        return self._short.get(name)

    def long(self, name: str) -> Option | None:
        return self._long.get(name) or self._extra_long.get(name)

    def any(self, name: str) -> Option | None:
        return self.short(name) or self.long(name)

    def matching(self, name: str) -> list[Option]:
        """Options whose long name is this or begins with it."""
        exact = self.long(name)
        if exact is not None:
            return [exact]
        return [option for long, option in self._long.items() if long.startswith(name)]

    def long_prefix(self, text: str) -> Option | None:
        """The option whose long name `text` begins with, the longest first."""
        for end in range(len(text) - 2, 1, -1):
            option = self.long(text[:end])
            if option is not None:
                return option
        return None


class _Parse:
    """One run over the arguments."""

    def __init__(self, table: _Table) -> None:
        self._table = table
        self._parsed = Parsed()
        self._expected = list(table.required)
        self._selected: dict[int, Option] = {}
        self._waiting: Option | None = None

    def run(self, arguments: Sequence[str]) -> Parsed:
        for position, token in enumerate(arguments):
            if token == "--":
                self._parsed.words += arguments[position + 1 :]
                break
            self._token(token)
        self._check_waiting()
        if self._expected:
            plural = "s" if len(self._expected) > 1 else ""
            raise UsageError(f"Missing required option{plural}: {', '.join(map(_named, self._expected))}")
        return self._parsed

    def _token(self, token: str) -> None:
        if self._waiting is not None and not self._is_option(token):
            self._value(self._waiting, _unquoted(token))
        elif token.startswith("--"):
            self._long(token)
        elif token.startswith("-") and token != "-":
            self._dashed(token)
        else:
            self._parsed.words.append(token)

    def _is_option(self, token: str) -> bool:
        if len(token) < 2 or not token.startswith("-") or _is_number(token):
            return False
        text = _stripped(token)
        name = text.partition("=")[0]
        if self._table.matching(name) or self._table.short(name.removeprefix("-")):
            return True
        if token.startswith("--"):
            return False
        return bool((name and self._table.short(name[0])) or self._table.long_prefix(text))

    def _long(self, token: str) -> None:
        name, equals, value = _stripped(token).partition("=")
        written = token.partition("=")[0]
        matching = self._table.matching(name)
        if not matching:
            raise _unrecognized(token)
        if len(matching) > 1:
            could_be = ", ".join(f"'{option.long}'" for option in matching)
            raise UsageError(f"Ambiguous option: '{written}'  (could be: {could_be})")
        self._named_option(matching[0], equals, value, token)

    def _named_option(self, option: Option, equals: str, value: str, token: str) -> None:
        if equals and option.flag:
            raise _unrecognized(token)
        self._option(option)
        if equals:
            self._value(option, value)

    def _dashed(self, token: str) -> None:
        text = token[1:]
        name, equals, value = text.partition("=")
        exact = self._table.short(name) if not equals or len(name) == 1 else None
        if exact is None and len(name) == 1 and equals:
            exact = self._table.long(name)
        if exact is not None:
            self._named_option(exact, equals, value, token)
        elif len(name) == 1:
            raise _unrecognized(token)
        elif equals or self._table.matching(name):
            self._long(token)
        else:
            self._run_together(token, text)

    def _run_together(self, token: str, text: str) -> None:
        """`-topicvalue`, `-cl` or `-cltv`."""
        prefixed = self._table.long_prefix(text)
        if prefixed is not None and not prefixed.flag:
            self._option(prefixed)
            self._value(prefixed, text[len(prefixed.long) :])
            return
        for index, letter in enumerate(text):
            option = self._table.any(letter)
            if option is None:
                raise _unrecognized(token)
            self._option(option)
            rest = text[index + 1 :]
            if not option.flag and rest:
                self._value(option, rest)
                return

    def _option(self, option: Option) -> None:
        self._check_waiting()
        if option in self._expected:
            self._expected.remove(option)
        group = self._table.group_of.get(option.key)
        if group is not None:
            if group in self._expected:
                self._expected.remove(group)
            selected = self._selected.setdefault(id(group), option)
            if selected != option:
                raise UsageError(
                    f"The option '{option.key}' was specified but an option from this group has already been"
                    f" selected: '{selected.key}'"
                )
        self._parsed.add(option)
        self._waiting = None if option.flag else option

    def _value(self, option: Option, value: str) -> None:
        self._parsed.add_value(option, value)
        self._waiting = None

    def _check_waiting(self) -> None:
        if self._waiting is not None:
            raise UsageError(f"Missing argument for option: {self._waiting.key}")


def _named(item: Declaration) -> str:
    if isinstance(item, Option):
        return item.key
    listed = (f"{'-' if option.short else '--'}{option.key} {option.help}" for option in item.options)
    return f"[{', '.join(listed)}]"


def _unrecognized(token: str) -> UsageError:
    return UsageError(f"Unrecognized option: {token}", token)


def _stripped(token: str) -> str:
    return token[2:] if token.startswith("--") else token[1:]


def _unquoted(token: str) -> str:
    inner = token[1:-1]
    return inner if len(token) > 1 and token[0] == token[-1] == '"' and '"' not in inner else token


def _is_number(token: str) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return True
