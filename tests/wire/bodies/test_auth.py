"""Users and rules: words, resources and lists."""

import pytest

from rmq.wire.bodies.auth import (
    AclInfo,
    Action,
    PolicyEntryInfo,
    PolicyInfo,
    UserInfo,
    UserType,
    by_name,
    canonical_resource,
    decode_list,
    encode_list,
    subject_user,
    user_subject,
)
from rmq.wire.declare import decode_body, encode_body
from rmq.wire.errors import InvalidFieldError


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("*", "*"),
        ("Any:x", "*"),
        ("Topic:T", "Topic:T"),
        ("TOPIC:q", "Topic:q"),
        ("group:G*", "Group:G*"),
        ("Topic:*", "Topic:*"),
        ("Topic:a*b*", "Topic:a*"),
        ("Topic:a*b", "Topic:a*b"),
        ("Topic:a:b", "Topic:a:b"),
        ("Topic:", "Topic:"),
        ("Topic", "Topic:"),
        ("Cluster:c", "Cluster:c"),
        ("Namespace:n", "Namespace:n"),
        ("Unknown:x", "Unknown:x"),
        ("Topik:T", None),
        ("T", None),
        (":T", None),
        (" Topic:T", None),
        ("", None),
        ("  ", None),
        (None, None),
    ],
)
def test_resources_are_kept_as_apache_5_4_0_keeps_them(text: str | None, kept: str | None) -> None:
    assert canonical_resource(text) == kept


@pytest.mark.parametrize(
    ("subject", "name"),
    [("User:bob", "bob"), ("user:a:b", "a:b"), ("User", ""), ("bob", None), ("", None), (None, None)],
)
def test_subjects(subject: str | None, name: str | None) -> None:
    assert subject_user(subject) == name
    if name:
        assert subject_user(user_subject(name)) == name


def test_words_have_no_case() -> None:
    assert by_name(UserType, "sUPER") is UserType.SUPER
    assert by_name(Action, "pub") is Action.PUB
    assert by_name(UserType, "Root") is None
    assert by_name(UserType, None) is None


def test_json_of_apache_5_4_0() -> None:
    user = b'{"password":"p","userStatus":"disable","userType":"Normal","username":"bob"}'
    assert decode_body(UserInfo, user) == UserInfo("bob", "p", "Normal", "disable")
    assert encode_body(UserInfo("bob", "p", "Normal", "disable")) == user
    rules = (
        b'{"policies":[{"entries":[{"actions":["All"],"decision":"Deny","resource":"Group:G*","sourceIps":["::1"]},'
        b'{"actions":["Pub","Sub"],"decision":"Allow","resource":"Topic:T"}],"policyType":"Custom"}],"subject":"User:b"}'
    )
    entries = [
        PolicyEntryInfo("Group:G*", ["All"], ["::1"], "Deny"),
        PolicyEntryInfo("Topic:T", ["Pub", "Sub"], None, "Allow"),
    ]
    acl = AclInfo("User:b", [PolicyInfo("Custom", entries)])
    assert (decode_body(AclInfo, rules), encode_body(acl)) == (acl, rules)


def test_lists() -> None:
    users = [UserInfo("a", "x"), UserInfo("b", "y")]
    text = b'[{"password":"x","username":"a"},{"password":"y","username":"b"}]'
    assert encode_list(users) == text
    assert decode_list(UserInfo, text) == users
    assert decode_list(UserInfo, b"") == []
    assert encode_list([UserInfo("ü\n\"", UserType.SUPER)]) == '[{"password":"Super","username":"ü\\n\\""}]'.encode()
    assert encode_list([UserInfo("\ud800")]) == b'[{"username":"?"}]'


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b'[{"password":"geheim", x', "list of UserInfo: no JSON"),
        (b"{}", "list of UserInfo: array expected, got dict"),
        (b'[{"password":[]}]', r"UserInfo\[0\].password: string expected, got list"),
    ],
)
def test_what_is_no_list(data: bytes, problem: str) -> None:
    with pytest.raises(InvalidFieldError, match=f"DESC: {problem}$"):
        decode_list(UserInfo, data)


def test_a_password_is_not_shown() -> None:
    assert "geheim" not in repr(UserInfo("a", "geheim"))
