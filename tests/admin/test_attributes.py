"""Changes of attributes."""

import pytest

from rmq.admin.attributes import parse_attributes
from rmq.admin.errors import CommandLineError


def test_changes() -> None:
    assert parse_attributes("+a=b,+c=d=e,-f") == {"+a": "b", "+c": "d=e", "-f": ""}
    assert parse_attributes("") == {}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a=b", "add/alter attribute format is wrong: a"),
        ("+a", "delete attribute format is wrong: +a"),
        ("+a=b,", "delete attribute format is wrong: "),
        ("+a=b,+a=c", "key duplication: +a"),
    ],
)
def test_refusals(text: str, complaint: str) -> None:
    with pytest.raises(CommandLineError) as refused:
        parse_attributes(text)
    assert str(refused.value).startswith(complaint)
