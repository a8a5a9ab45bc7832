"""Java's own mqadmin on users and rules: the same text, and the same reasons, from our broker as from Apache's.

Apache's broker keeps users and rules only with its two providers; ours takes no notice of these settings. The tests
follow each other: what an earlier one makes, a later one lists.
"""

import re

import pytest

from tests.kit.apache import MqAdmin
from tests.kit.server import RunningServer

pytestmark = pytest.mark.interop

PROVIDER = "org.apache.rocketmq.auth.{0}.provider.Local{1}MetadataProvider"
OWN_CONFIG = {
    "authenticationMetadataProvider": PROVIDER.format("authentication", "Authentication"),
    "authorizationMetadataProvider": PROVIDER.format("authorization", "Authorization"),
    "initAuthenticationUser": '{"username":"admin","password":"first"}',
}

USERS = "#UserName         #Password               #UserType               #UserStatus           \n"
RULES = (
    "#Subject          #PolicyType  #Resource               #Actions              #SourceIp                 "
    "#Decision \n"
)


def user(name: str, password: str, kind: str = "Normal", status: str = "enable") -> str:
    return f"{name:<16}  {password:<22}  {kind:<22}  {status:<22}\n"


def rule(resource: str, actions: str, ips: str, decision: str) -> str:
    return f"{'User:bob':<16}  {'Custom':<10}  {resource:<22}  {actions:<20}  {ips:<24}  {decision:<10}\n"


def refusal(mq: MqAdmin, *words: str) -> str:
    """Code and reason of a command that prints nothing else."""
    printed = mq.run(*words)
    assert printed.out == ""
    found = re.search(r"MQBrokerException: (CODE: .*)", printed.err)
    assert found is not None, printed.err
    return found[1]


def test_users(mq: MqAdmin, own: RunningServer) -> None:
    broker = own.broker_addr
    assert mq.out("createUser", "-b", broker, "-u", "alice", "-p", "secret", "-t", "super") == (
        f"create user to {broker} success.\n"
    )
    assert mq.out("createUser", "-c", "DefaultCluster", "-u", "bob", "-p", "pass") == (
        f"create user to {broker} success.\n"
    )
    assert mq.out("updateUser", "-b", broker, "-u", "bob", "-s", "disable") == f"update user to {broker} success.\n"
    admin, alice = user("admin", "first", "Super"), user("alice", "secret", "Super")
    bob = user("bob", "pass", status="disable")
    assert mq.out("listUser", "-b", broker) == USERS + admin + alice + bob
    assert mq.out("listUser", "-c", "DefaultCluster", "-f", "a") == (
        f"{USERS}{admin}{alice}get user from {broker} success.\n"
    )
    assert mq.out("getUser", "-b", broker, "-u", "bob") == USERS + bob
    assert mq.out("getUser", "-b", broker, "-u", "nobody") == ""
    assert mq.out("copyUser", "-f", broker, "-t", broker) == "".join(
        f"copy user of {name} from {broker} to {broker} success.\n" for name in ("admin", "alice", "bob")
    )


def test_users_that_are_refused(mq: MqAdmin, own: RunningServer) -> None:
    to = ("-b", own.broker_addr)
    assert refusal(mq, "createUser", *to, "-u", "bob", "-p", "x") == "CODE: 16  DESC: The user is existed"
    assert refusal(mq, "createUser", *to, "-u", "carol", "-p", " ") == "CODE: 16  DESC: password can not be blank"
    assert refusal(mq, "createUser", *to, "-u", "", "-p", "x") == "CODE: 29  DESC: The username is blank"
    assert refusal(mq, "updateUser", *to, "-u", "carol", "-p", "x") == "CODE: 16  DESC: The user is not exist"


def test_rules(mq: MqAdmin, own: RunningServer) -> None:
    broker = own.broker_addr
    made = f"create acl to {broker} success.\n"
    subject = ("-s", "User:bob")
    words = ("createAcl", "-b", broker, *subject, "-r", "Topic:T", "-a", "pub,SUB", "-d", "allow")
    assert mq.out(*words) == made
    words = ("createAcl", "-c", "DefaultCluster", *subject, "-r", "Group:G,topic:T_*", "-a", "Sub", "-d", "Deny")
    assert mq.out(*words, "-i", "127.0.0.1,10.0.0.0/8") == made
    first = rule("Topic:T", "[Pub, Sub]", "null", "Allow")
    others = [rule(name, "[Sub]", "[127.0.0.1, 10.0.0.0/8]", "Deny") for name in ("Group:G", "Topic:T_*")]
    assert mq.out("getAcl", "-b", broker, *subject) == RULES + first + "".join(others)
    assert mq.out("listAcl", "-c", "DefaultCluster", "-r", "Group") == RULES + others[0]
    assert mq.out("getAcl", "-b", broker, "-s", "User:alice") == ""
    words = ("updateAcl", "-b", broker, *subject, "-r", "Group:G", "-a", "All", "-d", "Allow")
    assert mq.out(*words) == f"update acl to {broker} success.\n"
    assert mq.out("deleteAcl", "-b", broker, *subject, "-r", "Topic:T") == f"delete acl to {broker} success.\n"
    assert mq.out("copyAcl", "-f", broker, "-t", broker) == (
        f"copy acl of User:bob from {broker} to {broker} success.\n"
    )
    assert mq.out("listAcl", "-b", broker) == RULES + rule("Group:G", "[All]", "null", "Allow") + others[1]


@pytest.mark.parametrize(
    ("subject", "resource", "actions", "decision", "ips", "reason"),
    [
        ("User:nobody", "Topic:T", "Pub", "Allow", None, "The subject of User:nobody is not exist."),
        ("User:bob", "Topik:T", "Pub", "Allow", None, "The resource is null."),
        ("User:bob", "Topic:T", "Wrong", "Allow", None, "The actions is empty."),
        ("User:bob", "Topic:T", "Any", "Allow", None, "The actions can not be Any."),
        ("User:bob", "Topic:T", "Pub", "Maybe", None, "The decision is null or illegal."),
        ("User:bob", "Topic:T", "Pub", "Allow", "1.2.3", "The source ip is invalid."),
    ],
)
def test_rules_that_are_refused(
    mq: MqAdmin, own: RunningServer, subject: str, resource: str, actions: str, decision: str, ips: str | None,
    reason: str,
) -> None:  # fmt: skip
    words = ["createAcl", "-b", own.broker_addr, "-s", subject, "-r", resource, "-a", actions, "-d", decision]
    assert refusal(mq, *words, *(["-i", ips] if ips else [])) == f"CODE: 16  DESC: {reason}"


def test_both_are_there_after_a_crash_and_rules_go_with_their_user(mq: MqAdmin, own: RunningServer) -> None:
    own.kill()
    own.restart()
    broker = own.broker_addr
    assert mq.out("listAcl", "-b", broker, "-r", "Group") == RULES + rule("Group:G", "[All]", "null", "Allow")
    assert mq.out("deleteUser", "-c", "DefaultCluster", "-u", "bob") == f"delete user to {broker} success.\n"
    assert mq.out("deleteUser", "-b", broker, "-u", "bob") == f"delete user to {broker} success.\n"
    assert mq.out("listAcl", "-b", broker) == ""
    assert mq.out("listUser", "-b", broker) == USERS + user("admin", "first", "Super") + user(
        "alice", "secret", "Super"
    )
    assert refusal(mq, "getAcl", "-b", broker, "-s", "User:bob") == "CODE: 16  DESC: The subject is not exist."
