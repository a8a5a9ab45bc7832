"""The broker's users, a JSON file.

Apache's broker keeps them in RocksDB, which nothing here reads or writes: a store that changes sides has no users on
the other one.

Source: AuthenticationMetadataManagerImpl, LocalAuthenticationMetadataProvider.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field, replace
from typing import Final

from rmq.server.broker.meta.config_file import ConfigFile, ConfigFileError, MemberTexts, pretty_object
from rmq.settings.broker import BrokerConfig
from rmq.settings.checks import MAX_PASSWORD, MAX_USERNAME, credentials
from rmq.wire.bodies.auth import UserInfo, UserStatus, UserType, by_name
from rmq.wire.declare import body, decode_body
from rmq.wire.errors import InvalidFieldError, InvalidParameterError, NoPermissionError, RemotingError, SystemBusyError

MAX_USERS: Final = 10_000
"""Most users of a broker."""
MAX_TOTAL: Final = 4 * 1024 * 1024
"""Most characters of all users in their file: a change writes them all, and a listing sends them in one answer."""


@body
class UserFile:
    """The file: users by name."""

    users: dict[str, UserInfo] = field(default_factory=dict)


class UserTable:
    """All users of a broker.

    Args:
        file: `config/users.json`.
    """

    def __init__(self, file: ConfigFile) -> None:
        self._file = file
        self._users: dict[str, UserInfo] = {}
        self._texts = MemberTexts(2)

    def load(self) -> None:
        """Reads what an earlier run kept.

        Raises:
            ConfigFileError: the file is damaged.
        """
        stored = self._file.load(_parse)
        for name, user in (stored.users if stored is not None else {}).items():
            self._enter(name, replace(user, username=name))

    def seed(self, broker: BrokerConfig) -> None:
        """Makes the super users that the configuration names, unless they exist.

        Raises:
            ConfigFileError: there are too many users, or the file cannot be written.
        """
        for name, password in _configured(broker):
            if name not in self._users:
                try:
                    self.create(name, UserInfo(password=password, user_type=UserType.SUPER))
                except RemotingError as error:
                    raise ConfigFileError(f"the user {name} cannot be made: {error.remark}") from None

    def find(self, name: str) -> UserInfo | None:
        """The user of that name."""
        return self._users.get(name)

    def is_super(self, name: str) -> bool:
        """Whether rules do not apply to this user.

        Raises:
            NoPermissionError: there is no such user.
        """
        user = self._users.get(name)
        if user is None:
            raise NoPermissionError(f"User:{name} is not found")
        return user.user_type == UserType.SUPER

    def matching(self, part: str | None) -> list[UserInfo]:
        """The users whose names hold this text, by name; all when it is blank."""
        wanted = part if part and part.strip() else ""
        return [self._users[name] for name in sorted(self._users) if wanted in name]

    def create(self, name: str, wanted: UserInfo) -> None:
        """Makes a user, a normal one that may work unless `wanted` says otherwise.

        Raises:
            NoPermissionError: the user exists, or name or password is blank.
            InvalidParameterError: name or password is too long.
            SystemBusyError: there are too many users, or they would take too much room.
            RemotingError: the file cannot be written; there is no such user then.
        """
        _check_name(name)
        if not wanted.password or not wanted.password.strip():
            raise NoPermissionError("password can not be blank")
        if name in self._users:
            raise NoPermissionError("The user is existed")
        if len(self._users) >= MAX_USERS:
            raise SystemBusyError(f"this broker has {len(self._users)} users and takes no more than {MAX_USERS}")
        new = UserInfo(name, wanted.password, UserType.NORMAL, UserStatus.ENABLE)
        self._put(name, _changed(new, wanted))

    def update(self, name: str, wanted: UserInfo) -> None:
        """Changes what `wanted` says: a password that is not blank, a known type, a known status.

        Raises:
            NoPermissionError: there is no such user, or the name is blank.
            InvalidParameterError: the password is too long.
            SystemBusyError: all users would take too much room.
            RemotingError: the file cannot be written; the user is unchanged then.
        """
        _check_name(name)
        user = self._users.get(name)
        if user is None:
            raise NoPermissionError("The user is not exist")
        self._put(name, _changed(user, wanted))

    def remove(self, name: str) -> None:
        """Forgets a user, if there is one.

        Raises:
            RemotingError: the file cannot be written; the user remains then.
        """
        if name in self._users:
            self._put(name, None)

    def _put(self, name: str, user: UserInfo | None) -> None:
        before, size = self._users.get(name), self._texts.size
        self._enter(name, user)
        if size < self._texts.size > MAX_TOTAL:
            self._enter(name, before)
            raise SystemBusyError(f"this broker takes no more than {MAX_TOTAL} characters of users")
        try:
            self._file.save(pretty_object((("users", self._texts.object()),)))
        except OSError as error:
            self._enter(name, before)
            raise RemotingError(f"the users cannot be written: {error}") from None

    def _enter(self, name: str, user: UserInfo | None) -> None:
        if user is None:
            self._users.pop(name, None)
            self._texts.remove(name)
        else:
            self._users[name] = user
            self._texts.put(name, user)


def _parse(content: bytes) -> UserFile:
    try:
        return decode_body(UserFile, content)
    except InvalidFieldError:
        # Its text shows a piece of the file, which may be a password, and goes to the log.
        raise ValueError("it is no JSON object of users") from None


def _configured(broker: BrokerConfig) -> Iterator[tuple[str, str]]:
    if broker.init_authentication_user:
        yield credentials(broker.init_authentication_user, "username", "password")
    if broker.inner_client_authentication_credentials:
        yield credentials(broker.inner_client_authentication_credentials, "accessKey", "secretKey")


def _check_name(name: str) -> None:
    if not name.strip():
        raise NoPermissionError("username can not be blank")
    if len(name) > MAX_USERNAME:
        raise InvalidParameterError(f"a username of {len(name)} characters is longer than {MAX_USERNAME}")


def _changed(user: UserInfo, wanted: UserInfo) -> UserInfo:
    password = wanted.password if wanted.password and wanted.password.strip() else user.password
    if len(password or "") > MAX_PASSWORD:
        raise InvalidParameterError(f"a password is longer than {MAX_PASSWORD} characters")
    return UserInfo(
        user.username,
        password,
        by_name(UserType, wanted.user_type) or user.user_type,
        by_name(UserStatus, wanted.user_status) or user.user_status,
    )
