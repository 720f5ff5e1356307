"""Every address of a page, in one table."""

from __future__ import annotations

from functools import partial

from jishi.http import Route, speaking
from jishi.web.errors import refuse
from jishi.web.files import read_static

page = partial(speaking, refuse)

ROUTES: tuple[Route, ...] = (Route("GET", "/static/{hash}/{name...}", page(read_static)),)
