"""Command lines of the server programs, read as Apache's read theirs.

Words that are no options are passed over; a wrong option is told on stderr with the usage on stdout, and exit code 1.

Source: ServerUtil.parseCmdLine, NamesrvStartup, BrokerStartup.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from rmq.settings.errors import SettingError
from rmq.settings.load import read_text

EXIT_USAGE: Final = 1
EXIT_FAILED: Final = 255
_EXIT_REFUSED: Final = 253

_EXPECTED_ONE = re.compile(r"argument (?:-(\w)|--([\w-]+)).*expected one argument")


class Leave(Exception):  # noqa: N818
    """The program is to end now, with this exit code; everything has been said."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


class Options(argparse.ArgumentParser):
    """Options of a server program.

    Args:
        program: its name.
        page: what `-h` prints.
    """

    def __init__(self, program: str, page: str) -> None:
        super().__init__(prog=program, add_help=False)
        self._page = page
        self.add_argument("-h", "--help", action="store_true")

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """The options that were given.

        Raises:
            Leave: they are wrong, or help was asked for.
        """
        given, rest = self.parse_known_args(list(words))
        unknown = [word for word in rest if word.startswith("-") and word != "-"]
        if unknown:
            self.error(f"Unrecognized option: {unknown[0]}")
        if given.help:
            print(self._page)
            raise Leave(0)
        return given

    def error(self, message: str) -> NoReturn:
        """Says what is wrong."""
        missing = _EXPECTED_ONE.match(message)
        if missing is not None:
            message = f"Missing argument for option: {missing[1] or missing[2]}"
        print(message, file=sys.stderr)
        print(self._page)
        raise Leave(EXIT_USAGE)


def config_text(file: str | None) -> str:
    """The text of the file given with -c, or nothing.

    Raises:
        Leave: it cannot be read.
    """
    if file is None:
        return ""
    try:
        text = read_text(file)
    except OSError as error:
        print(f"cannot read {file}: {error.strerror}", file=sys.stderr)
        raise Leave(EXIT_FAILED) from None
    print(f"load config properties file OK, {file}")
    return text


def refuse(error: SettingError) -> Leave:
    """Says why settings cannot be used; Apache's own sentences go to stdout as there."""
    print(error, file=sys.stdout if error.exit_status == _EXIT_REFUSED else sys.stderr)
    return Leave(error.exit_status)
