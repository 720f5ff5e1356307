"""Who is acting and what they may do.

Hides: credentials, sessions, role storage.
Shows: ``Actor``, roles, and questions about them.
"""

from __future__ import annotations

from jishi.people.actors import NOBODY, Actor, Denied, ReadOnlyToken, Role, SignInNeeded

__all__ = ["NOBODY", "Actor", "Denied", "ReadOnlyToken", "Role", "SignInNeeded"]
