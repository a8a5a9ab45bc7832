"""With what tools sign their requests: variables of ours, else `$ROCKETMQ_HOME/conf/tools.yml`, as Apache's tools do.

Source: AclUtils.getAclRPCHook.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from rmq.settings.environment import ROCKETMQ_HOME_ENV
from rmq.wire.signing import Credentials

ACCESS_KEY_ENV: Final = "RMQ_ACCESS_KEY"
SECRET_KEY_ENV: Final = "RMQ_SECRET_KEY"


class CredentialsError(ValueError):
    """The file with the keys cannot be understood; the text names it and the reason."""


def tools_credentials(
    environ: Mapping[str, str] | None = None, read: Callable[[Path], str] = Path.read_text
) -> Credentials | None:
    """The keys of the environment, else those of `conf/tools.yml` in RocketMQ's home.

    None when there is no home, no file, or a key in it is blank.

    Args:
        environ: the environment; that of the process when None.
        read: reads a file.

    Raises:
        CredentialsError: the file cannot be read, or is not what it should be.
    """
    variables = os.environ if environ is None else environ
    own = variables.get(ACCESS_KEY_ENV), variables.get(SECRET_KEY_ENV)
    if own[0] and own[1]:
        return Credentials(own[0], own[1])
    if any(own):
        raise CredentialsError(f"{ACCESS_KEY_ENV} and {SECRET_KEY_ENV} are needed together")
    home = variables.get(ROCKETMQ_HOME_ENV)
    if not home:
        return None
    path = Path(home, "conf", "tools.yml")
    try:
        text = read(path)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise CredentialsError(f"{path}: cannot be read: {why}") from None
    keys = _keys(path, text)
    access, secret, token = (_text(keys.get(name)) for name in ("accessKey", "secretKey", "securityToken"))
    return Credentials(access, secret, token) if access and secret else None


def environment_of(credentials: Credentials) -> dict[str, str]:
    """The variables from which `tools_credentials` takes these keys."""
    return {ACCESS_KEY_ENV: credentials.access_key, SECRET_KEY_ENV: credentials.secret_key}


def _keys(path: Path, text: str) -> dict[Any, Any]:
    # Most homes have no such file, and reading YAML takes longer to load than most commands run.
    import yaml

    try:
        keys = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CredentialsError(f"{path}: is not YAML: {' '.join(str(error).split())}") from None
    if keys is None:
        return {}
    if not isinstance(keys, dict):
        raise CredentialsError(f"{path}: lines such as `accessKey: name` are expected")
    return keys


def _text(value: object) -> str:
    # A password of digits is a number to YAML.
    return "" if value is None else str(value).strip()
