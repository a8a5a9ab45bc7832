"""Errors as they cross the wire."""

import pytest

from rmq.wire import errors
from rmq.wire.codes import ResponseCode
from rmq.wire.errors import RemotingError, error_for

KINDS = {
    2: errors.SystemBusyError,
    3: errors.NotSupportedError,
    13: errors.MessageIllegalError,
    14: errors.ServiceNotAvailableError,
    16: errors.NoPermissionError,
    17: errors.TopicNotExistError,
    22: errors.QueryNotFoundError,
    23: errors.SubscriptionParseError,
    24: errors.SubscriptionNotExistError,
    25: errors.SubscriptionNotLatestError,
    26: errors.SubscriptionGroupNotExistError,
    29: errors.InvalidParameterError,
    206: errors.ConsumerNotOnlineError,
}


@pytest.mark.parametrize("code", KINDS)
def test_a_code_becomes_its_error(code: int) -> None:
    error = error_for(code, "why", "10.0.0.1:10911")
    assert type(error) is KINDS[code]
    assert (error.code, error.remark, error.address) == (code, "why", "10.0.0.1:10911")
    assert str(error) == f"CODE: {code}  DESC: why BROKER: 10.0.0.1:10911"


@pytest.mark.parametrize("code", KINDS)
def test_an_error_carries_its_code(code: int) -> None:
    assert KINDS[code]("why").code == code


@pytest.mark.parametrize("code", [1, 12, 1500, 999999, -1])
def test_another_code_becomes_the_plain_error(code: int) -> None:
    error = error_for(code, None)
    assert type(error) is RemotingError
    assert (error.code, error.remark, str(error)) == (code, "", f"CODE: {code}  DESC: ")


def test_fields_are_refused_as_system_errors() -> None:
    assert errors.MissingFieldError("x").code == errors.InvalidFieldError("x").code == ResponseCode.SYSTEM_ERROR


def test_a_frame_error_is_no_remoting_error() -> None:
    assert not issubclass(errors.FrameError, RemotingError)
    assert issubclass(errors.FrameTooLargeError, errors.FrameError)
    assert issubclass(errors.HeaderError, errors.FrameError)
