"""Load what a verb needs, when it is needed."""

from __future__ import annotations

import gc
from importlib import import_module
from types import ModuleType


def load(name: str) -> ModuleType:
    """Import a module; what modules define stays, so nobody looks through it for garbage.

    Looking takes an eighth of the time that importing the platform takes, and later a part of
    every full collection.
    """
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()
        gc.enable()
