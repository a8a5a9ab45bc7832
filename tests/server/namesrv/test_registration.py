"""Names that a name server takes."""

import pytest

from rmq.server.namesrv.registration import check_name, is_name
from rmq.wire.errors import InvalidParameterError


@pytest.mark.parametrize("name", ["T", "host.example.org", "%RETRY%group", "10.0.0.1:10911", "x" * 255, "主题"])
def test_allowed(name: str) -> None:
    assert is_name(name)
    check_name("topic", name)


@pytest.mark.parametrize("name", ["", "../x", "a b", "x" * 256, "a\nb", "\x00", "a\\b", "a\x7f"])
def test_refused_with_a_sentence_that_stays_short(name: str) -> None:
    assert not is_name(name)
    with pytest.raises(InvalidParameterError) as caught:
        check_name("broker", name)
    assert caught.value.remark == f"the broker name {name!r:.80} is not allowed"
