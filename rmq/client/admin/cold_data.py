"""How much old data groups may read from a broker's disk.

Source: MQClientAPIImpl, ColdDataCgCtrService.
"""

from __future__ import annotations

from typing import Any

from rmq.client.admin.properties import properties_text
from rmq.client.admin.session import Admin
from rmq.client.errors import ClientError
from rmq.wire import fastjson
from rmq.wire.requests.broker import GetColdDataFlowCtrInfo, RemoveColdDataFlowCtrConfig, UpdateColdDataFlowCtrConfig


async def cold_data_info(admin: Admin, address: str) -> dict[str, Any] | None:
    """Limits and what was read lately, as the broker lists it: `runtimeTable` and `configTable` by group, and totals.

    None when the broker keeps no such table.

    Raises:
        ClientError: it answered something else.
    """
    body = (await admin.call(address, GetColdDataFlowCtrInfo())).body
    if not body:
        return None
    try:
        info = fastjson.loads(body)
    except fastjson.JSONError as error:
        raise ClientError(f"{address} answered something else than JSON: {error}") from None
    if not isinstance(info, dict):
        raise ClientError(f"{address} answered JSON that is no table of limits")
    return info


async def limit_cold_data(admin: Admin, address: str, group: str, threshold: int) -> None:
    """Lets a group read at most so many bytes of old data in a round of some seconds."""
    await admin.call(address, UpdateColdDataFlowCtrConfig(), properties_text({group: str(threshold)}))


async def unlimit_cold_data(admin: Admin, address: str, group: str) -> None:
    """Lets a group read as much as those without a limit of their own."""
    await admin.call(address, RemoveColdDataFlowCtrConfig(), group.encode())
