"""What a server says on standard output once it serves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jishi.app.commands import SET_UP_PATH
from jishi.app.saying import typed
from jishi.app.settings import Settings
from jishi.core.i18n import N_, translate

AT = N_("Jishi serves {url} (data in {folder})")
SET_UP = N_("Become the first administrator with this link; it works once:")
LOG_INS = N_("Demo log-ins, shown only now:")
NEXT = N_("Try next:")


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody of the demo, with the password nobody can read again."""

    name: str
    password: str


@dataclass(frozen=True, slots=True)
class Banner:
    """Everything that is said.

    Attributes:
        program: How the command was started, quoted.
        set_up: Secret of the set-up link, while nobody administers.
        model: A model to download, if there is one.
    """

    settings: Settings
    program: str
    set_up: str | None
    logins: Sequence[Login] = ()
    model: str | None = None

    def lines(self, locale: str) -> list[str]:
        """Return it line by line."""
        settings = self.settings
        first = translate(AT, locale).format(url=settings.url, folder=settings.folder)
        lines = ["", first]
        if self.set_up is not None:
            lines += ["", translate(SET_UP, locale)]
            lines.append(f"  {settings.url}{SET_UP_PATH}{self.set_up}")
        if self.logins:
            lines += ["", translate(LOG_INS, locale)]
            lines += [f"  {login.name:<16} {login.password}" for login in self.logins]
        lines += ["", translate(NEXT, locale)]
        return [*lines, *(f"  {command}" for command in self._commands()), ""]

    def _commands(self) -> list[str]:
        endpoint = f"HF_ENDPOINT={self.settings.url}"
        folder = self.settings.folder
        if self.model is not None and self.logins:
            words = ("token", "add", self.logins[0].name, "--role", "write")
            return [
                f"{endpoint} hf download {self.model}",
                f"git clone {self.settings.url}/{self.model}",
                typed(self.program, *words, folder=folder),
            ]
        return [
            typed(self.program, "user", "add", "NAME", folder=folder),
            f"{endpoint} hf auth login",
            f"{endpoint} hf upload NAME/my-model ./my-model",
        ]
