"""Definitions of groups and their retry policies."""

import pytest

from rmq.tui.service.changes.groups import (
    GroupDefinition,
    RetryPolicyError,
    group_definition_of,
    group_differences,
    policy_of,
    policy_text,
)
from rmq.wire.bodies.group import (
    ExponentialRetryPolicy,
    GroupRetryPolicy,
    GroupRetryPolicyType,
    SubscriptionGroupConfig,
)

GROWING = GroupRetryPolicy(GroupRetryPolicyType.EXPONENTIAL, ExponentialRetryPolicy(1, 9, 2))
TEXT = '{"exponentialRetryPolicy": {"initial": 1, "max": 9, "multiplier": 2}, "type": "EXPONENTIAL"}'


def test_policies_are_texts_and_back() -> None:
    assert (policy_text(GROWING), policy_of(TEXT)) == (TEXT, GROWING)
    assert (policy_text(GroupRetryPolicy()), policy_of(" ")) == ("", GroupRetryPolicy())


@pytest.mark.parametrize("text", ["{", "[]", '{"type": "SOMETIMES"}', '{"exponentialRetryPolicy": 3}'])
def test_what_is_no_policy(text: str) -> None:
    with pytest.raises(RetryPolicyError):
        policy_of(text)


def test_a_brokers_configuration_and_what_differs() -> None:
    config = SubscriptionGroupConfig("G", consume_enable=False, retry_max_times=3, group_retry_policy=GROWING)
    found = group_definition_of(config)
    assert found == GroupDefinition("G", False, retry_max=3, retry_policy=TEXT)
    assert group_differences(GroupDefinition("G"), found) == [
        ("consumeEnable", "true", "false"),
        ("retryMaxTimes", "16", "3"),
        ("groupRetryPolicy", "", TEXT),
    ]
