"""No name that is given away may ever be needed as an address."""

from __future__ import annotations

import re

import pytest

from jishi.app.build import HEALTH, PARTS
from jishi.people.names import BadName, NameReserved, check_name
from jishi.people.reserved import RESERVED

OF_THE_PUBLIC_HUB = """
    api datasets spaces kernels buckets collections papers jobs settings oauth uploads docs
    login join organizations resolve
""".split()
OF_ALL_PARTS = """
    models playground wallet scenarios learn tools venue observatory kiosk vouchers calls
    challenges badges credentials usage agents search new admin device set-up password sign-in
    static healthz readyz metrics v1 openapi telemetry xet lfs
""".split()


def first_parts() -> list[str]:
    routes = [*HEALTH, *(route for part in PARTS.values() for route in part.routes)]
    parts = {route.path.lstrip("/").partition("/")[0] for route in routes}
    return sorted(part for part in parts if part and "{" not in part)


@pytest.mark.parametrize("part", first_parts())
def test_the_first_part_of_every_registered_route_is_out_of_reach(part: str) -> None:
    with pytest.raises((BadName, NameReserved)):  # nobody can be called favicon.ico anyway
        check_name(part)


@pytest.mark.parametrize("name", [*OF_THE_PUBLIC_HUB, *OF_ALL_PARTS])
def test_names_of_the_public_hub_and_of_parts_to_come_are_reserved(name: str) -> None:
    assert name in RESERVED


def test_the_table_is_lower_case_and_holds_nothing_a_name_cannot_be_by_accident() -> None:
    assert all(name == name.lower() for name in RESERVED)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name) for name in RESERVED)
