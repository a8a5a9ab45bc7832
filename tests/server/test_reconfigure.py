import pytest

from rmq.server.reconfigure import reconfigure
from rmq.settings.model import NamesrvSettings
from rmq.wire.errors import InvalidParameterError, NoPermissionError, RemotingError
from tests.kit.memory_files import MemoryFiles


@pytest.fixture
def settings() -> NamesrvSettings:
    return NamesrvSettings(file="ns.conf")


def test_what_is_changed_is_in_effect_told_and_kept_for_the_owner(settings: NamesrvSettings) -> None:
    files, told = MemoryFiles(), []
    reconfigure(settings, "orderMessageEnable=true", "peer", files, lambda: told.append(b"true"))
    assert settings.namesrv.order_message_enable is True
    assert told == [b"true"]
    assert b"orderMessageEnable=true" in files.files["ns.conf"]
    assert files.private == {"ns.conf"}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("orderMessageEnable=true\nlistenPort=x", InvalidParameterError),
        ("orderMessageEnable=true\nkvConfigPath=x", NoPermissionError),
    ],
)
def test_one_bad_line_and_nothing_changes(settings: NamesrvSettings, text: str, error: type[Exception]) -> None:
    files, told = MemoryFiles(), []
    with pytest.raises(error):
        reconfigure(settings, text, "peer", files, lambda: told.append(1))
    assert (settings.namesrv.order_message_enable, told, files.files) == (False, [], {})


def test_a_file_that_cannot_be_written(settings: NamesrvSettings) -> None:
    files, told = MemoryFiles(), []
    files.refuse = OSError(28, "No space left on device")
    message = r"in effect, but ns\.conf cannot be written: \[Errno 28\] No space left on device$"
    with pytest.raises(RemotingError, match=message):
        reconfigure(settings, "orderMessageEnable=true", "peer", files, lambda: told.append(1))
    assert (settings.namesrv.order_message_enable, told) == (True, [1])
