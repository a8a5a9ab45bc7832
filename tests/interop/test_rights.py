"""Who may do what, held against Apache's own decisions on users and rules made up at random."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmq.client.admin.rights import RightsQuestion, judge
from rmq.wire.bodies.auth import AclInfo, Action, PolicyEntryInfo, PolicyInfo, UserInfo
from rmq.wire.declare import to_plain
from tests.kit import toolchains
from tests.kit.apacherights import ApacheRights

pytestmark = pytest.mark.interop

_RULES = st.builds(
    PolicyEntryInfo,
    st.sampled_from(
        ("*", "Topic:*", "Topic:Ord*", "Topic:Orde*", "Topic:Orders", "Group:*", "Group:bill*", "Cluster:*")
    ),
    st.lists(st.sampled_from(("All", "Pub", "Sub", "Get", "Create")), min_size=1, max_size=2, unique=True),
    st.sampled_from((None, None, ["10.0.0.1"], ["10.0.0.0/8", "fe80::/10"], ["0.0.0.0/0"], ["::/0"], ["10.0.0.0/31"])),
    st.sampled_from(("Allow", "Deny")),
)
_POLICIES = st.lists(
    st.builds(PolicyInfo, st.sampled_from(("Custom", "Default")), st.lists(_RULES, min_size=1, max_size=6)),
    min_size=1,
    max_size=2,
    unique_by=lambda policy: policy.policy_type,
)
_USERS = st.one_of(
    st.none(),
    *[st.just(UserInfo("somebody", None, "Normal", "enable"))] * 8,
    st.builds(
        UserInfo, st.just("somebody"), st.none(), st.sampled_from(("Super", "Normal")),
        st.sampled_from(("enable", "disable")),
    ),
)  # fmt: skip
_ACLS = st.one_of(st.none(), *[st.builds(AclInfo, st.just("User:somebody"), _POLICIES)] * 8)
_QUESTIONS = st.builds(
    RightsQuestion,
    st.sampled_from((Action.PUB, Action.SUB, Action.GET, Action.ANY, Action.DELETE)),
    st.sampled_from(("Topic:Orders", "Topic:Order", "Topic:O", "Group:billing", "Group:b", "Cluster:C")),
    st.sampled_from(("10.0.0.1", "10.200.0.1", "::1", "fe80::1", "::ffff:10.0.0.1", "192.168.0.1")),
)


@pytest.fixture(scope="module")
def apache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheRights]:
    toolchains.require("java")
    running = ApacheRights(tmp_path_factory.mktemp("rights"))
    yield running
    running.close()


@settings(max_examples=600, deadline=None)
@given(user=_USERS, acl=_ACLS, question=_QUESTIONS)
def test_answers_are_apaches(apache: ApacheRights, user: UserInfo | None, acl: AclInfo | None, question: Any) -> None:
    told = apache.ask(
        {
            "user": None if user is None else to_plain(user),
            "acl": None if acl is None else to_plain(acl),
            "action": question.action.value,
            "resource": question.resource,
            "ip": question.source_ip,
        }
    )
    assert judge(user, acl, question).allowed is told["allowed"], told["why"]
