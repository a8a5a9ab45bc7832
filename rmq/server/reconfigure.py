"""Settings that are changed while a server runs: in effect, logged, and kept in the configuration file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from twisted.logger import Logger

from rmq.server.files import SmallFiles
from rmq.settings.errors import ForbiddenKeyError, SettingError
from rmq.settings.model import BrokerSettings, NamesrvSettings
from rmq.settings.update import persist, update
from rmq.wire.errors import InvalidParameterError, NoPermissionError, RemotingError

log = Logger()


def reconfigure(
    settings: BrokerSettings | NamesrvSettings,
    text: str,
    peer: str,
    files: SmallFiles,
    on_change: Callable[[], None] = lambda: None,
) -> None:
    """Changes settings, all of those that are named or none.

    Args:
        settings: what is changed.
        text: `key=value` lines.
        peer: who asked, for the log.
        files: where the configuration file is.
        on_change: called when they are in effect.

    Raises:
        NoPermissionError: a key may not be changed from outside.
        InvalidParameterError: a key is unknown, or its value is not allowed.
        RemotingError: the changes are in effect, but the file cannot be written.
    """
    try:
        changes = update(settings, text)
    except ForbiddenKeyError as error:
        raise NoPermissionError(str(error)) from None
    except SettingError as error:
        raise InvalidParameterError(str(error)) from None
    for change in changes:
        log.info("{peer} set {change}", peer=peer, change=change)
    on_change()
    try:
        # A new file is for the owner only: the settings may name a user with a password.
        persist(settings, partial(files.replace, private=True))
    except OSError as error:
        raise RemotingError(f"in effect, but {settings.file} cannot be written: {error}") from None
