from pathlib import Path

import pytest

from rmq.client.credentials import CredentialsError, environment_of, tools_credentials
from rmq.wire.signing import Credentials

HOME = {"ROCKETMQ_HOME": "/opt/rocketmq"}
FILE = Path("/opt/rocketmq/conf/tools.yml")


def found(text: str) -> Credentials | None:
    def read(path: Path) -> str:
        assert path == FILE
        return text

    return tools_credentials(HOME, read)


def test_keys_of_the_file() -> None:
    # The file of Apache's distribution has a password of digits.
    assert found("accessKey: rocketmq2\nsecretKey: 12345678\n") == Credentials("rocketmq2", "12345678")
    assert found("accessKey: a\nsecretKey: ' b '\nsecurityToken: t") == Credentials("a", "b", "t")


@pytest.mark.parametrize("text", ["", "# nothing\n", "accessKey: a\n", "accessKey: a\nsecretKey: ''\n", "secretKey: b"])
def test_requests_are_not_signed_unless_both_keys_are_there(text: str) -> None:
    assert found(text) is None


def test_variables_come_first() -> None:
    keys = {"RMQ_ACCESS_KEY": "a", "RMQ_SECRET_KEY": "b"}
    assert tools_credentials({**HOME, **keys}, lambda path: "accessKey: c\nsecretKey: d") == Credentials("a", "b")
    assert environment_of(Credentials("a", "b")) == keys
    with pytest.raises(CredentialsError, match=r"^RMQ_ACCESS_KEY and RMQ_SECRET_KEY are needed together$"):
        tools_credentials({**HOME, "RMQ_SECRET_KEY": "b"})


def test_no_home_and_no_file() -> None:
    def missing(path: Path) -> str:
        raise FileNotFoundError(path)

    assert tools_credentials({}, missing) is None
    assert tools_credentials(HOME, missing) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("accessKey: [", rf"^{FILE}: is not YAML: while parsing a flow node .* line 1, column 13"),
        ("- accessKey", rf"^{FILE}: lines such as `accessKey: name` are expected$"),
    ],
)
def test_what_is_no_such_file(text: str, reason: str) -> None:
    with pytest.raises(CredentialsError, match=reason):
        found(text)


def test_a_file_that_cannot_be_read() -> None:
    def refused(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    with pytest.raises(CredentialsError, match=rf"^{FILE}: cannot be read: Permission denied$"):
        tools_credentials(HOME, refused)
