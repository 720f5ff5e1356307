"""The addresses this installation answers for, and requests that other sites forge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import ClassVar, Final

from starlette.types import Scope

from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_

__all__ = [
    "SAFE_METHODS",
    "CrossSite",
    "Network",
    "Site",
    "caller_address",
    "check_origin",
]

Network = IPv4Network | IPv6Network

SAFE_METHODS: Final = frozenset(("GET", "HEAD", "OPTIONS"))


class CrossSite(Refusal):
    """A page of another site, or of an address we do not know, sent this in a browser."""

    code: ClassVar[str] = "http.cross_site"
    kind: ClassVar[Kind] = Kind.DENIED
    text: ClassVar[str] = N_(
        "This was not sent from a page of {base}. If you opened this site under another "
        "address, use that one, or have the administrator add yours to the setting origins."
    )


@dataclass(frozen=True, slots=True)
class Site:
    """The addresses this installation answers for.

    Attributes:
        url: The public origin, ``https://hub.example``; links are made from it.
        origins: Further origins a caller may use instead.
        trusted_proxies: Networks whose ``X-Forwarded-For`` is believed.
    """

    url: str
    origins: tuple[str, ...] = ()
    trusted_proxies: tuple[Network, ...] = ()
    _by_host: Mapping[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        known = [origin.rstrip("/") for origin in (*reversed(self.origins), self.url)]
        table = {origin.partition("://")[2].lower(): origin for origin in known}
        object.__setattr__(self, "_by_host", table)

    def base_of(self, host: str) -> str:
        """Return the origin links are made from for a request that names ``host``."""
        return self._by_host.get(host.lower()) or self.url.rstrip("/")

    def address_of(self, scope: Scope) -> str:
        """Return the caller's address, behind the proxies that are trusted."""
        return caller_address(scope, self.trusted_proxies)


def check_origin(headers: Mapping[bytes, bytes], base: str, *, has_cookie: bool) -> None:
    """Let a request that changes something pass if a page of ours, or a program, sent it.

    For requests without ``Authorization``, or with one that a browser keeps.
    Browsers say ``Sec-Fetch-Site``, but not to plain-http addresses other than localhost;
    there ``Origin`` decides.  Another port of the same host is "same-site", gets our
    cookies, and is refused.

    Raises:
        CrossSite: If neither header speaks for us, or a cookie comes without any of them.
    """
    site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
    if site is not None:
        passes = site == b"same-origin" or (site == b"none" and origin is None)
    elif origin is not None:
        passes = origin.decode("latin-1") == base
    else:
        passes = not has_cookie
    if not passes:
        raise CrossSite(base=base)


def caller_address(scope: Scope, trusted: Sequence[Network]) -> str:
    """Return the caller's address; ``X-Forwarded-For`` counts only behind trusted proxies.

    Every proxy appends the peer it saw, so the list is read from its end and the first
    address that is not a trusted proxy is the caller.  What stands before it is hearsay.
    """
    peer: str = scope["client"][0] if scope.get("client") else ""
    if not trusted:
        return peer
    forwarded = b",".join(v for k, v in scope["headers"] if k == b"x-forwarded-for")
    hops = [hop.strip() for hop in forwarded.decode("latin-1").split(",") if hop.strip()]
    while hops and is_within(peer, trusted):
        peer = hops.pop()
    return peer


def is_within(address: str, networks: Sequence[Network]) -> bool:
    """Whether an address is in one of ``networks``."""
    try:
        return any(ip_address(address) in network for network in networks)
    except ValueError:  # not an address, so nobody we know
        return False
