"""One setting of a server is changed, and looked at afterwards.

Apache's servers answer success to a key that they do not know and to a value that they cannot read, and leave
everything as it was. So the setting is read before and after: it must be listed, and either have changed or be what
was wanted.

Source: Configuration.update, MixAll.properties2Object.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from rmq.client.admin.brokers import broker_config, update_broker_config
from rmq.client.admin.errors import SettingIgnoredError
from rmq.client.admin.namesrv import namesrv_config, update_namesrv_config
from rmq.client.admin.session import Admin

_Read = Callable[[Admin, str], Awaitable[dict[str, str]]]
_Write = Callable[[Admin, str, Mapping[str, str]], Awaitable[None]]


async def change_broker_setting(admin: Admin, address: str, key: str, value: str) -> None:
    """Changes a setting of a broker.

    Raises:
        SettingIgnoredError: it answered success and did not take it.
        NoPermissionError: the key may not be changed this way.
    """
    await _change(admin, address, key, value, broker_config, update_broker_config)


async def change_namesrv_setting(admin: Admin, address: str, key: str, value: str) -> None:
    """Changes a setting of a name server; see `change_broker_setting`."""
    await _change(admin, address, key, value, namesrv_config, update_namesrv_config)


async def change_controller_setting(admin: Admin, address: str, key: str, value: str) -> None:
    """Changes a setting of a controller; see `change_broker_setting`."""
    from rmq.client.admin.controllers import controller_config, update_controller_config

    await _change(admin, address, key, value, controller_config, update_controller_config)


async def _change(admin: Admin, address: str, key: str, value: str, read: _Read, write: _Write) -> None:
    before = (await read(admin, address)).get(key)
    await write(admin, address, {key: value})
    after = (await read(admin, address)).get(key)
    if after is None or (after == before and not means(value, after)):
        raise SettingIgnoredError(address, key, value, after)


def means(text: str, shown: str) -> bool:
    """Whether a server shows a value so that was written as `text`: truths in lower case, numbers without zeros."""
    if text.casefold() == shown.casefold():
        return True
    try:
        return float(text) == float(shown)
    except ValueError:
        return False
