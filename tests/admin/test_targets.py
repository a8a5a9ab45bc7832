"""What becomes of asking several servers."""

from typing import Any

from rmq.admin.declare import Call
from rmq.admin.output import Report
from rmq.admin.parser import Parsed
from rmq.admin.targets import done_on_each
from rmq.client.admin.session import Admin
from rmq.remoting.errors import ConnectFailedError
from tests.kit.adminfake import FakeServers, operate


def test_those_that_fail_are_noted_and_the_others_go_on() -> None:
    report, failure = Report(), ConnectFailedError("b:1", "refused")

    async def ask(address: str) -> str:
        if address == "b:1":
            raise failure
        return address.upper()

    async def all_three(admin: Admin) -> Any:
        return await done_on_each(Call(Parsed(), admin), report, ["c:1", "b:1", "a:1"], ask)

    assert operate(FakeServers(), all_three) == [("c:1", "C:1"), ("a:1", "A:1")]
    assert report.failures == [failure]
