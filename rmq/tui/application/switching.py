"""The application's part about contexts: from one cluster to another, and where servers are reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from textual import work
from textual.screen import Screen

from rmq.settings.environment import split_host_port
from rmq.tui.application.proposals import ProposingApp
from rmq.tui.config.contexts import Context
from rmq.tui.formats import one_line
from rmq.tui.screens.contexts import ContextDialog
from rmq.tui.service.protocol import AdminService

_BETWEEN: Final = "between"
WORDS: Final = ("ctx", "map", "unmap")
"""Commands that are about this."""


class SwitchingApp(ProposingApp):
    """An application that can look at several clusters, one at a time."""

    contexts: Mapping[str, Context]
    connect: Callable[[Context], AdminService]

    def begin(self, mode: str) -> None:
        """Shows the session's cluster from the start, with this screen at first."""
        raise NotImplementedError

    def modes(self) -> list[str]:
        """Modes of the screens that belong to the session."""
        raise NotImplementedError

    def place_lines(self) -> list[str]:
        """Command lines about contexts and addresses that make sense now."""
        lines = [f"ctx {name}" for name in self.contexts]
        cluster = self.session.cluster.value
        unreachable = [broker.address for broker in cluster.brokers if broker.problem is not None] if cluster else []
        mapped = [f"unmap {address}" for address in self.session.service.address_map]
        return [*lines, *(f"map {address} " for address in unreachable), *mapped]

    def run_place_line(self, word: str, argument: str) -> str:
        """Does what one of `WORDS` says; returns why not, or what there is to say."""
        if word == "ctx":
            return self._to_context(argument)
        if word == "unmap":
            return self._unmap(argument)
        return self._map(argument.split())

    # --- addresses ------------------------------------------------------------------------------------------------

    def _map(self, addresses: list[str]) -> str:
        service = self.session.service
        if not addresses:
            pairs = [f"{advertised} → {reachable}" for advertised, reachable in service.address_map.items()]
            return ", ".join(pairs) or "no address is mapped; :map ADVERTISED REACHABLE maps one"
        if len(addresses) != 2:
            return ":map needs two addresses: the advertised one, and the one that it can be reached at"
        for address in addresses:
            try:
                split_host_port(address)
            except ValueError:
                return f"{address:.60} is not host:port"
        service.map_address(*addresses)
        self._look_again()
        return f"{addresses[0]} is looked for at {addresses[1]} until the end of this run"

    def _unmap(self, address: str) -> str:
        service = self.session.service
        if address not in service.address_map:
            return f"{address:.60} is not mapped" if address else ":unmap needs an address"
        service.map_address(address, "")
        self._look_again()
        return ""

    def _look_again(self) -> None:
        if self.front is not None:
            self.front.action_refresh_now()

    # --- contexts -------------------------------------------------------------------------------------------------

    def _to_context(self, name: str) -> str:
        here = self.session.context
        known = {**self.contexts, here.name: here}
        if not name:
            self.push_screen(ContextDialog(list(known.values()), here.name))
            return ""
        if name not in known:
            return f"there is no context {one_line(name):.40}; there are {', '.join(known)}"
        if name == here.name:
            return f"this is {name}"
        running = self.session.ops.running
        if running:
            return f"{one_line(running[0].title)} is still running here"
        self.switch_context(known[name])
        return ""

    @work(exclusive=True, group="context")
    async def switch_context(self, context: Context) -> None:
        """Leaves the cluster, with all that is known of it, and looks at another."""
        before, here = self.session.service, self.current_mode
        self.session = self.session.elsewhere(self.connect(context), context)
        self.add_mode(_BETWEEN, Screen)
        await self.switch_mode(_BETWEEN)
        for mode in self.modes():
            await self.remove_mode(mode)
        if context.theme:
            self.theme = context.theme
        self.begin(here)
        await self.remove_mode(_BETWEEN)
        await before.close()
