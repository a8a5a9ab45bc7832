"""Subscriptions from expressions; the hash codes are Java's."""

import pytest

from rmq.wire.bodies.heartbeat import SubscriptionData
from rmq.wire.errors import SubscriptionParseError
from rmq.wire.subscription import build_subscription, is_tag_type


@pytest.mark.parametrize("expression", [None, "", "*"])
def test_everything(expression: str | None) -> None:
    assert build_subscription("t", expression, version=5) == SubscriptionData("t", "*", sub_version=5)


@pytest.mark.parametrize(
    ("expression", "tags", "codes"),
    [
        ("TagA", {"TagA"}, {2598919}),
        ("TagA || TagB", {"TagA", "TagB"}, {2598919, 2598920}),
        ("TagA||TagB||TagA", {"TagA", "TagB"}, {2598919, 2598920}),
        (" TagA ||", {"TagA"}, {2598919}),
        ("|| TagB", {"TagB"}, {2598920}),
        ("a b", {"a b"}, {94307}),
        ("中文", {"中文"}, {646394}),
        ("a|b", {"a|b"}, {97159}),
        ("|", {"|"}, {124}),
        (" ", set(), set()),
        (" || ", set(), set()),
        ("polygenelubricants", {"polygenelubricants"}, {-2147483648}),
    ],
)
def test_tags(expression: str, tags: set[str], codes: set[int]) -> None:
    assert build_subscription("t", expression, "TAG", 7) == SubscriptionData("t", expression, tags, codes, 7)


@pytest.mark.parametrize("expression", ["||", "||||"])
def test_separators_alone_are_refused(expression: str) -> None:
    with pytest.raises(SubscriptionParseError, match="holds no tag") as caught:
        build_subscription("t", expression)
    assert caught.value.code == 23


def test_another_type_travels_as_text() -> None:
    subscription = build_subscription("t", "a > 5 || b = 'x'", "SQL92", 9)
    assert subscription == SubscriptionData("t", "a > 5 || b = 'x'", sub_version=9, expression_type="SQL92")


@pytest.mark.parametrize("expression", [None, ""])
def test_another_type_needs_an_expression(expression: str | None) -> None:
    with pytest.raises(SubscriptionParseError, match="type SQL92 must not be empty"):
        build_subscription("t", expression, "SQL92")


def test_what_means_tags() -> None:
    assert [is_tag_type(kind) for kind in (None, "", "TAG", "SQL92", "tag")] == [True, True, True, False, False]
