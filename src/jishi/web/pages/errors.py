"""Pages that say no."""

from __future__ import annotations

from dataclasses import dataclass

from jishi.web.pages.chrome import Chrome


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """``errors/error.html``.

    Attributes:
        state: ``sign_in``, ``forbidden``, ``missing``, ``hidden`` (missing, or not to be
            seen), ``gone`` (a link that works once), ``not_yet``, ``wrong``, ``conflict``,
            ``later`` or ``broken``.
        text: The reason, in the visitor's language.
        number: To quote to the administrator, where it is our fault.
    """

    chrome: Chrome
    state: str
    text: str
    number: str
