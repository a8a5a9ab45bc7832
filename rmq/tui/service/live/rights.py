"""Users and rules, as each master has them. Passwords are let go of here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from rmq.client.admin.auth import list_acls, list_users
from rmq.tui.service.live.known import Known, or_problem
from rmq.tui.service.model import Problem
from rmq.tui.service.model.rights import BrokerRights, Rights
from rmq.tui.service.problems import problem_of
from rmq.wire.bodies.auth import subject_user
from rmq.wire.codes import ResponseCode
from rmq.wire.errors import RemotingError

_NOT_SUPPORTED: Final = frozenset({int(ResponseCode.REQUEST_CODE_NOT_SUPPORTED)})


class LiveRights:
    """See `protocol.RightsQuestions`."""

    _known: Known

    @or_problem
    async def rights(self) -> Rights:
        """See `AdminService.rights`."""
        known = self._known
        masters = list((await known.masters()).items())
        return Rights(tuple(await known.admin.each(masters, lambda one: _broker(known, *one))))


async def _broker(known: Known, name: str, address: str) -> BrokerRights:
    try:
        settings = await known.settings.get(address)
    except RemotingError as error:
        return BrokerRights(name, address, {}, {}, problem=problem_of(error))
    enforced, note = enforcement(name, settings)
    try:
        users = {user.username or "": replace(user, password=None) for user in await list_users(known.admin, address)}
        rules = {subject_user(acl.subject) or acl.subject or "": acl for acl in await list_acls(known.admin, address)}
    except RemotingError as error:
        return BrokerRights(name, address, {}, {}, enforced, *_without(name, error, note))
    return BrokerRights(name, address, users, rules, enforced, note)


def enforcement(name: str, settings: Mapping[str, str]) -> tuple[bool, str]:
    """Whether a broker checks who may do what, and a sentence about it when it does not."""
    signed, checked = (settings.get(key) == "true" for key in ("authenticationEnabled", "authorizationEnabled"))
    if signed and checked:
        return True, ""
    if signed:
        return False, f"{name} checks who signs in, but no rules (authorizationEnabled is off): every user may do all"
    if checked:
        return False, f"{name} checks rules, but not who signs in (authenticationEnabled is off)"
    if settings.get("aclEnable") == "true":
        return True, f"{name} has access control of the old kind (aclEnable), whose rules it does not tell"
    return False, f"{name} does not check access rights: everybody may do everything"


def _without(name: str, error: RemotingError, note: str) -> tuple[str, Problem | None]:
    """What is to be said about a broker that does not list its users."""
    if int(error.code) in _NOT_SUPPORTED:
        return f"{name} is older than users and rules (RocketMQ 5.3)", None
    if note and error.code == ResponseCode.SYSTEM_ERROR:
        # Apache's says no more than that when it has nothing to keep users in.
        return f"{note}; it keeps no users and rules", None
    return note, problem_of(error)
