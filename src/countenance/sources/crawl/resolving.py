"""Name resolution under guard, for everything in this process that connects through Twisted.

Twisted's endpoints ask the reactor's resolver for every host, IP addresses among them, and connect to the addresses
that it answers with. So the check is made on the very addresses that are used, and no name is looked up twice.
"""

from __future__ import annotations

from typing import Any

from countenance.domain.errors import CountenanceError, PrivateAddress
from countenance.sources.netguard import Guard


def install_guard(reactor: Any, guard: Guard) -> set[tuple[str, int]]:
    """From now on the reactor resolves through `guard`. Returns the (host, port)s refused so far, kept up to date."""
    from twisted.internet.address import IPv4Address, IPv6Address
    from twisted.internet.interfaces import IHostnameResolver, IHostResolution
    from twisted.internet.threads import deferToThreadPool
    from zope.interface import implementer

    refused: set[tuple[str, int]] = set()

    @implementer(IHostResolution)
    class Resolution:
        def __init__(self, name: str) -> None:
            self.name = name

        def cancel(self) -> None:
            """The answer is dropped by whoever asked."""

    @implementer(IHostnameResolver)
    class GuardedResolver:
        def resolveHostName(
            self,
            resolutionReceiver: Any,
            hostName: str,
            portNumber: int = 0,
            addressTypes: Any = None,
            transportSemantics: str = "TCP",
        ) -> Any:
            resolution = Resolution(hostName)
            resolutionReceiver.resolutionBegan(resolution)

            def answer(addresses: list[str]) -> None:
                for address in addresses:
                    kind = IPv6Address if ":" in address else IPv4Address
                    resolutionReceiver.addressResolved(kind("TCP", address, portNumber))
                resolutionReceiver.resolutionComplete()

            def refuse(failure: Any) -> None:
                failure.trap(CountenanceError)
                if failure.check(PrivateAddress):
                    refused.add((hostName, portNumber))
                resolutionReceiver.resolutionComplete()  # with no address at all

            found = deferToThreadPool(reactor, reactor.getThreadPool(), guard.targets, hostName, portNumber)
            found.addCallbacks(answer, refuse)
            return resolution

    reactor.installNameResolver(GuardedResolver())
    return refused
