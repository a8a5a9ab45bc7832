"""Users and rules of several brokers together."""

from rmq.tui.service.model import AclRule, AclUser, BrokerRights, Problem, Rights
from rmq.tui.service.rights import answers, rules_of, users_of
from rmq.wire.bodies.auth import Action
from tests.kit.tui.rights import RIGHTS, RULES, USERS, rule, rules


def test_users_of_all_brokers() -> None:
    assert list(users_of(RIGHTS).values()) == [
        AclUser("admin", "Super", "enable", 0, ("broker-a", "broker-b"), True),
        AclUser("billing", "Normal", "enable", 2, ("broker-a", "broker-b"), True),
        AclUser("former", "Normal", "disable", 0, ("broker-a", "broker-b"), True),
        AclUser("shop", "Normal", "enable", 2, ("broker-a", "broker-b"), False),
    ]


def test_a_user_that_one_broker_has_and_a_subject_that_is_no_user() -> None:
    only = {"admin": USERS["admin"]}
    found = users_of(
        Rights(
            (
                BrokerRights("a", "x", only, {"Other:x": rules("x", rule("*", "All"))}),
                BrokerRights("b", "y", {}, {}),
            )
        )
    )
    assert found["admin"] == AclUser("admin", "Super", "enable", 0, ("a",), False)
    assert found["Other:x"] == AclUser("Other:x", "", "", 1, ("a",), False)


def test_a_broker_that_does_not_answer_differs_from_nobody() -> None:
    dead = BrokerRights("b", "y", {}, {}, problem=Problem("dead"))
    found = users_of(Rights((BrokerRights("a", "x", USERS, RULES), dead)))
    assert all(user.alike for user in found.values())
    told = answers(Rights((BrokerRights("a", "x", USERS, RULES), dead)), "shop", Action.PUB, "Topic:Orders")
    assert [(one.brokers, one.allowed, one.weaker) for one in told] == [(("a",), True, ("Deny Pub on Topic:*",))]


def test_rules_are_told_once() -> None:
    assert rules_of(RIGHTS, "shop") == (
        AclRule("Custom", "Topic:Ord*", "Pub", "", "Allow", ("broker-a", "broker-b")),
        AclRule("Custom", "Topic:*", "Pub", "", "Deny", ("broker-a",)),
    )
    assert rules_of(RIGHTS, "admin") == ()
