"""From a subscription expression to what a broker filters by.

A tag expression is `*` or tags joined by `||`; brokers compare only the Java hash codes of tags, consumers compare
the tags themselves once more. Any other type of expression travels as text.

Source: FilterAPI, ExpressionType, SubscriptionData.
"""

from __future__ import annotations

from typing import Final

from rmq.wire.bodies.heartbeat import SubscriptionData
from rmq.wire.errors import SubscriptionParseError
from rmq.wire.javahash import java_hash

TAG: Final = "TAG"
SQL92: Final = "SQL92"
SUB_ALL: Final = "*"

_SEPARATOR = "||"
_BLANKS = "".join(map(chr, range(33)))


def is_tag_type(expression_type: str | None) -> bool:
    """Whether the type means tags; absent and empty do."""
    return not expression_type or expression_type == TAG


def build_subscription(
    topic: str, expression: str | None, expression_type: str | None = TAG, version: int = 0
) -> SubscriptionData:
    """The subscription that an expression describes.

    Args:
        topic: the topic.
        expression: the expression; none or an empty one of tags means all.
        expression_type: `TAG` or `SQL92`.
        version: time of the subscription in ms.

    Raises:
        SubscriptionParseError: separators without a tag, or no expression where one is needed.
    """
    if not is_tag_type(expression_type):
        if not expression:
            raise SubscriptionParseError(f"an expression of type {expression_type} must not be empty")
        return SubscriptionData(topic, expression, sub_version=version, expression_type=str(expression_type))
    if not expression or expression == SUB_ALL:
        return SubscriptionData(topic, SUB_ALL, sub_version=version)
    # Java's trim takes off everything up to the blank, and nothing beyond.
    tags = {tag for part in expression.split(_SEPARATOR) if (tag := part.strip(_BLANKS))}
    # Java's split leaves nothing of separators alone; blanks between them are parts without a tag.
    if not expression.replace(_SEPARATOR, ""):
        raise SubscriptionParseError(f"the expression {expression!r:.80} holds no tag")
    return SubscriptionData(topic, expression, tags, {java_hash(tag) for tag in tags}, version)
