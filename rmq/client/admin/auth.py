"""Users and the rules for them.

Every broker has its own: a cluster has a user when each of its brokers has it.

Source: MQClientAPIImpl, DefaultMQAdminExtImpl, CopyUsersSubCommand, CopyAclsSubCommand.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from rmq.client.admin.session import Admin
from rmq.client.errors import ClientError
from rmq.wire.bodies.auth import AclInfo, PolicyEntryInfo, PolicyInfo, UserInfo, decode_list
from rmq.wire.errors import RemotingError
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

T = TypeVar("T")


class UnknownUserError(ClientError):
    """No broker that was asked has the user."""

    def __init__(self, username: str, where: str = "") -> None:
        super().__init__(f"the user {username} does not exist{f' on {where}' if where else ''}")


class NoRulesError(ClientError):
    """The broker has no rules for the subject."""

    def __init__(self, subject: str, where: str) -> None:
        super().__init__(f"{where} has no rules for {subject}")


class Found(NamedTuple, Generic[T]):
    """The first answer that says something, and who could not give one before.

    Attributes:
        address: the broker that gave it, "" when none did.
        value: what it said, None when none did.
        failures: of brokers that refused or could not be asked.
    """

    address: str
    value: T | None
    failures: list[RemotingError]


class Copied(NamedTuple):
    """A user or subject that was to be copied, and why that failed."""

    name: str
    error: RemotingError | None


# --- users ---------------------------------------------------------------------------------------------------------


async def create_user(admin: Admin, address: str, user: UserInfo) -> None:
    """Makes a user; the broker takes a type that it does not know for a normal user."""
    await admin.call(address, CreateUser(user.username), user)


async def update_user(admin: Admin, address: str, user: UserInfo) -> None:
    """Changes those members of a user that are given."""
    await admin.call(address, UpdateUser(user.username), user)


async def delete_user(admin: Admin, address: str, username: str) -> None:
    """Removes a user and the rules for it; one that does not exist is no error."""
    await admin.call(address, DeleteUser(username))


async def get_user(admin: Admin, address: str, username: str) -> UserInfo | None:
    """One user of a broker."""
    answer = await admin.call(address, GetUser(username))
    return answer.json(UserInfo) if answer.body else None


async def list_users(admin: Admin, address: str, part: str | None = None) -> list[UserInfo]:
    """A broker's users by name, those whose names hold a text if one is given."""
    return decode_list(UserInfo, (await admin.call(address, ListUsers(part))).body)


async def copy_users(admin: Admin, source: str, target: str, names: Sequence[str] = ()) -> list[Copied]:
    """Makes a broker's users, or some of them, the same on another broker.

    Raises:
        RemotingError: the source cannot tell its users.
    """

    async def copy(user: UserInfo) -> None:
        known = await get_user(admin, target, user.username or "")
        await (create_user if known is None else update_user)(admin, target, user)

    found: dict[str, UserInfo | RemotingError | None]
    if names:
        asked = await admin.attempt_each(names, lambda name: get_user(admin, source, name))
        found = dict(zip(names, asked, strict=True))
    else:
        found = {user.username or "": user for user in await list_users(admin, source)}
    return await _copy_each(admin, found, copy, lambda name: UnknownUserError(name, source))


# --- rules ---------------------------------------------------------------------------------------------------------


def rules_for(
    subject: str, resources: Sequence[str], actions: Sequence[str], source_ips: Sequence[str] | None, decision: str
) -> AclInfo:
    """One rule for each resource, all alike but for that."""
    ips = list(source_ips) if source_ips is not None else None
    entries = [PolicyEntryInfo(resource, list(actions), ips, decision) for resource in resources]
    return AclInfo(subject, [PolicyInfo(entries=entries)])


async def create_acl(admin: Admin, address: str, acl: AclInfo) -> None:
    """Adds rules; those there are for the same resources are replaced."""
    await admin.call(address, CreateAcl(acl.subject), acl)


async def update_acl(admin: Admin, address: str, acl: AclInfo) -> None:
    """Does what `create_acl` does."""
    await admin.call(address, UpdateAcl(acl.subject), acl)


async def delete_acl(admin: Admin, address: str, subject: str, resources: Sequence[str] = ()) -> None:
    """Removes the rules for some resources, one request each, or all rules for a subject."""
    for resource in resources or (None,):
        await admin.call(address, DeleteAcl(subject, resource=resource))


async def get_acl(admin: Admin, address: str, subject: str) -> AclInfo | None:
    """The rules for one subject on a broker, None when there are none."""
    answer = await admin.call(address, GetAcl(subject))
    return answer.json(AclInfo) if answer.body else None


async def list_acls(
    admin: Admin, address: str, subject_part: str | None = None, resource_part: str | None = None
) -> list[AclInfo]:
    """A broker's rules by subject, those whose subject and resource hold these texts if they are given."""
    return decode_list(AclInfo, (await admin.call(address, ListAcls(subject_part, resource_part))).body)


async def copy_acls(admin: Admin, source: str, target: str, subjects: Sequence[str] = ()) -> list[Copied]:
    """Adds a broker's rules, or those for some subjects, to the rules of another broker, which must have the users.

    Raises:
        RemotingError: the source cannot tell its rules.
    """

    async def copy(acl: AclInfo) -> None:
        known = await get_acl(admin, target, acl.subject or "")
        await (create_acl if known is None else update_acl)(admin, target, acl)

    found: dict[str, AclInfo | RemotingError | None]
    if subjects:
        asked = await admin.attempt_each(subjects, lambda subject: get_acl(admin, source, subject))
        found = dict(zip(subjects, asked, strict=True))
    else:
        found = {acl.subject or "": acl for acl in await list_acls(admin, source)}
    return await _copy_each(admin, found, copy, lambda subject: NoRulesError(subject, source))


# --- several ones --------------------------------------------------------------------------------------------------


async def first_found(addresses: Sequence[str], ask: Callable[[str], Awaitable[T | None]]) -> Found[T]:
    """Asks brokers one after the other until one has something to say."""
    failures = []
    for address in addresses:
        try:
            value = await ask(address)
        except RemotingError as error:
            failures.append(error)
            continue
        if value:
            return Found(address, value, failures)
    return Found("", None, failures)


async def _copy_each(
    admin: Admin,
    found: Mapping[str, T | RemotingError | None],
    copy: Callable[[T], Awaitable[None]],
    missing: Callable[[str], RemotingError],
) -> list[Copied]:
    async def attempt(name: str) -> None:
        item = found[name]
        if item is None:
            raise missing(name)
        if isinstance(item, RemotingError):
            raise item
        await copy(item)

    names = list(found)
    outcomes = await admin.attempt_each(names, attempt)
    return [
        Copied(name, outcome if isinstance(outcome, RemotingError) else None)
        for name, outcome in zip(names, outcomes, strict=True)
    ]
