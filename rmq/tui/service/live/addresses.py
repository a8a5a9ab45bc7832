"""Where servers can be reached that advertise another address.

A broker tells the name server the address that clients shall use. Behind a tunnel, in a container or a cloud that is
often one that cannot be reached from here. A table says where such a server is to be found instead; without an entry,
the failure says that the address came from the name server, so that nobody looks for a broker that is down.
"""

from __future__ import annotations

from collections.abc import Collection

from rmq.remoting.calls import DEFAULT_TIMEOUT, SUCCESS, Answer, Invoker
from rmq.remoting.errors import ConnectFailedError
from rmq.tui.service.problems import AdvertisedAddressError
from rmq.wire.declare import Declared


class Addressed:
    """An `Invoker` that looks addresses up.

    Args:
        invoker: carries the requests.
        own: addresses that the user gave and nobody advertised.
        table: addresses at which servers are reached, by the ones that they advertise; it may change any time.
    """

    def __init__(self, invoker: Invoker, own: Collection[str], table: dict[str, str]) -> None:
        self._invoker = invoker
        self._own = frozenset(own)
        self.table = table

    async def call(
        self,
        address: str,
        header: Declared,
        body: bytes | Declared = b"",
        *,
        timeout: float = DEFAULT_TIMEOUT,
        accept: frozenset[int] = SUCCESS,
    ) -> Answer:
        """Sends a request and waits for its answer; see `rmq.remoting.calls.Invoker`.

        Raises:
            AdvertisedAddressError: no connection to an address that a name server told.
        """
        try:
            return await self._invoker.call(
                self.table.get(address, address), header, body, timeout=timeout, accept=accept
            )
        except ConnectFailedError as error:
            if address in self._own:
                raise
            raise AdvertisedAddressError(address, self.table.get(address, ""), error) from None

    async def send_oneway(self, address: str, header: Declared, body: bytes | Declared = b"") -> None:
        """Sends a request that is never answered."""
        await self._invoker.send_oneway(self.table.get(address, address), header, body)


class LiveAddresses:
    """See `protocol.Addresses`."""

    _addressed: Addressed

    @property
    def address_map(self) -> dict[str, str]:
        """See `AdminService.address_map`."""
        return dict(self._addressed.table)

    def map_address(self, advertised: str, reachable: str) -> None:
        """See `AdminService.map_address`."""
        if reachable:
            self._addressed.table[advertised] = reachable
        else:
            self._addressed.table.pop(advertised, None)
