"""Users and the rules for them are made, changed, asked for and removed.

Nothing is signed yet, so that the name a request comes under (`AccessKey`) is what the caller says it is. As at
Apache's while access rights are not checked, super users are left to super users when there is such a name, and to
everybody when there is none.

Source: AdminBrokerProcessor, AuthenticationMetadataManagerImpl, AuthorizationMetadataManagerImpl.
"""

from __future__ import annotations

from typing import Final, TypeVar

from rmq.remoting.dispatch import Call, Reply, handles
from rmq.server.broker.auth.acls import MAX_ACL, AclTable
from rmq.server.broker.auth.rules import checked_policies
from rmq.server.broker.auth.users import UserTable
from rmq.wire.bodies.auth import (
    AclInfo,
    PolicyType,
    UserInfo,
    UserType,
    by_name,
    canonical_resource,
    encode_list,
    subject_user,
    user_subject,
)
from rmq.wire.errors import InvalidFieldError, InvalidParameterError, NoPermissionError, RemotingError
from rmq.wire.requests.auth import (
    CreateAcl,
    CreateUser,
    DeleteAcl,
    DeleteUser,
    GetAcl,
    GetUser,
    ListAcls,
    ListUsers,
    UpdateAcl,
    UpdateUser,
)

B = TypeVar("B")

_ACCESS_KEY: Final = "AccessKey"


class AuthProcessor:
    """Handles a broker's users and rules."""

    def __init__(self, users: UserTable, acls: AclTable) -> None:
        self._users = users
        self._acls = acls

    # --- users ----------------------------------------------------------------------------------------------------

    @handles(CreateUser)
    def create_user(self, header: CreateUser, call: Call) -> None:
        """Makes a user."""
        name, wanted = _named(header.username), _content(UserInfo, call)
        if by_name(UserType, wanted.user_type) is UserType.SUPER and self._is_no_super_user(call):
            raise RemotingError("The super user can only be create by super user")
        self._users.create(name, wanted)

    @handles(UpdateUser)
    def update_user(self, header: UpdateUser, call: Call) -> None:
        """Changes a user."""
        name, wanted = _named(header.username), _content(UserInfo, call)
        if by_name(UserType, wanted.user_type) is UserType.SUPER and self._is_no_super_user(call):
            raise RemotingError("The super user can only be update by super user")
        self._keep_off(name, call)
        self._users.update(name, wanted)

    @handles(DeleteUser)
    def delete_user(self, header: DeleteUser, call: Call) -> None:
        """Removes a user and the rules for it; an unknown one is no error, as at Apache's."""
        name = header.username or ""
        if not name.strip():
            raise NoPermissionError("username can not be blank")
        self._keep_off(name, call)
        if self._users.find(name) is not None:
            self._acls.remove(user_subject(name))
            self._users.remove(name)

    @handles(GetUser)
    def user(self, header: GetUser, call: Call) -> UserInfo | None:
        """One user, or nothing."""
        if not (header.username or "").strip():
            raise InvalidParameterError("The username is blank")
        return self._users.find(header.username or "")

    @handles(ListUsers)
    def users(self, header: ListUsers, call: Call) -> Reply | None:
        """Users by name, or nothing."""
        found = self._users.matching(header.filter)
        return Reply(body=encode_list(found)) if found else None

    def _is_no_super_user(self, call: Call) -> bool:
        name = call.command.ext.get(_ACCESS_KEY)
        return bool(name) and not self._users.is_super(name or "")

    def _keep_off(self, name: str, call: Call) -> None:
        user = self._users.find(name)
        if user is not None and user.user_type == UserType.SUPER and self._is_no_super_user(call):
            raise NoPermissionError("The super user can only be update by super user")

    # --- rules ----------------------------------------------------------------------------------------------------

    @handles(CreateAcl)
    def create_acl(self, header: CreateAcl, call: Call) -> None:
        """Adds rules for a user."""
        self._put_acl(header.subject, call)

    @handles(UpdateAcl)
    def update_acl(self, header: UpdateAcl, call: Call) -> None:
        """Adds rules for a user; Apache makes no difference either."""
        self._put_acl(header.subject, call)

    def _put_acl(self, subject: str | None, call: Call) -> None:
        wanted = _content(AclInfo, call)
        policies = checked_policies(wanted)
        name = subject_user(wanted.subject)
        name = _user_of(subject) if name is None else name
        if self._users.find(name) is None:
            raise NoPermissionError(f"The subject of {user_subject(name)} is not exist.")
        self._acls.put(user_subject(name), policies)

    @handles(DeleteAcl)
    def delete_acl(self, header: DeleteAcl, call: Call) -> None:
        """Removes the rule for one resource, or all rules for a user when no resource is given.

        A resource that is none is refused: Apache's broker takes it for none given and removes everything.
        """
        key = self._known_subject(header.subject)
        resource = canonical_resource(header.resource)
        if resource is None and header.resource:
            raise InvalidParameterError(f"The resource {header.resource:.200} is no resource.")
        if self._acls.find(key) is None:
            raise NoPermissionError("The acl is not exist.")
        if resource is None:
            self._acls.remove(key)
        else:
            policy_type = by_name(PolicyType, header.policy_type) or PolicyType.CUSTOM
            self._acls.remove_resource(key, policy_type, resource)

    @handles(GetAcl)
    def acl(self, header: GetAcl, call: Call) -> AclInfo | None:
        """The rules for one user, or nothing."""
        return self._acls.find(self._known_subject(header.subject))

    @handles(ListAcls)
    def acls(self, header: ListAcls, call: Call) -> Reply | None:
        """Rules by subject, or nothing."""
        found = self._acls.matching(header.subject_filter, header.resource_filter)
        return Reply(body=encode_list(found)) if found else None

    def _known_subject(self, subject: str | None) -> str:
        name = _user_of(subject)
        if self._users.find(name) is None:
            raise NoPermissionError("The subject is not exist.")
        return user_subject(name)


def _named(username: str | None) -> str:
    if not username:
        raise InvalidParameterError("The username is blank")
    return username


def _user_of(subject: str | None) -> str:
    name = subject_user(subject)
    if name is None:
        raise NoPermissionError("The subject is null.")
    return name


def _content(kind: type[B], call: Call) -> B:
    # Checked first: to bring thousands of rules together takes long, even if they are too many in the end.
    if len(call.body) > MAX_ACL:
        raise InvalidParameterError(f"a body of {len(call.body)} bytes is longer than {MAX_ACL}")
    try:
        return call.json(kind)
    except InvalidFieldError:
        # Its text shows a piece of the body, which may be a password, and goes to the log.
        raise InvalidFieldError(f"the body is no {kind.__name__}") from None
