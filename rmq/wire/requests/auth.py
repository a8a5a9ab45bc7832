"""Users and the rules for them.

Source: CreateUserRequestHeader, UpdateUserRequestHeader, DeleteUserRequestHeader, GetUserRequestHeader,
ListUsersRequestHeader, CreateAclRequestHeader, UpdateAclRequestHeader, DeleteAclRequestHeader, GetAclRequestHeader,
ListAclsRequestHeader.
"""

from __future__ import annotations

from rmq.wire.bodies.auth import AclInfo, UserInfo
from rmq.wire.declare import request


@request(3001, "AUTH_CREATE_USER", body=UserInfo, changes=True)
class CreateUser:
    """Makes a user; the name in the body does not count."""

    username: str | None = None


@request(3002, "AUTH_UPDATE_USER", body=UserInfo, changes=True)
class UpdateUser:
    """Changes those of a user's members that the body has."""

    username: str | None = None


@request(3003, "AUTH_DELETE_USER", changes=True)
class DeleteUser:
    """Removes a user and the rules for it."""

    username: str | None = None


@request(3004, "AUTH_GET_USER", reply_body=UserInfo)
class GetUser:
    """Asks for one user; the answer has no body when there is none."""

    username: str | None = None


@request(3005, "AUTH_LIST_USER")
class ListUsers:
    """Asks for the users whose names hold a text: a JSON array of UserInfo, or no body when there is none."""

    filter: str | None = None


@request(3006, "AUTH_CREATE_ACL", body=AclInfo, changes=True)
class CreateAcl:
    """Adds rules; a rule for the same resource is replaced. The subject in the body comes first."""

    subject: str | None = None


@request(3007, "AUTH_UPDATE_ACL", body=AclInfo, changes=True)
class UpdateAcl:
    """Does what CreateAcl does."""

    subject: str | None = None


@request(3008, "AUTH_DELETE_ACL", changes=True)
class DeleteAcl:
    """Removes the rule for one resource, or all rules for a subject."""

    subject: str | None = None
    policy_type: str | None = None
    resource: str | None = None


@request(3009, "AUTH_GET_ACL", reply_body=AclInfo)
class GetAcl:
    """Asks for the rules for one subject; the answer has no body when there are none."""

    subject: str | None = None


@request(3010, "AUTH_LIST_ACL")
class ListAcls:
    """Asks for rules whose subject and resource hold a text: a JSON array of AclInfo, or no body."""

    subject_filter: str | None = None
    resource_filter: str | None = None
