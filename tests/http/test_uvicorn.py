"""The private names of uvicorn that ``http.edge`` stands on: a new release fails here first."""

from __future__ import annotations

import inspect

from uvicorn.protocols.http import httptools_impl
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from jishi.http.edge import EdgeProtocol


def test_the_protocol_has_the_callbacks_we_override() -> None:
    inherited = {
        "connection_made",
        "connection_lost",
        "data_received",
        "on_message_begin",
        "on_headers_complete",
        "on_body",
        "on_message_complete",
        "on_response_complete",
        "pause_writing",
        "timeout_keep_alive_handler",
        "send_400_response",
    }

    assert inherited <= vars(HttpToolsProtocol).keys()
    assert inherited <= vars(EdgeProtocol).keys()


def test_the_protocol_sets_the_attributes_we_read() -> None:
    source = inspect.getsource(HttpToolsProtocol)

    for name in (
        "cycle",
        "scope",
        "headers",
        "url",
        "scheme",
        "flow",
        "loop",
        "transport",
        "client",
    ):
        assert f"self.{name} = " in source or f"self.{name}: " in source, name
    for name in ("pipeline", "timeout_keep_alive_task"):
        assert f"self.{name}: " in source, name


def test_a_cycle_has_the_attributes_we_read_and_set() -> None:
    source = inspect.getsource(RequestResponseCycle)

    for name in (
        "disconnected",
        "keep_alive",
        "message_event",
        "more_body",
        "response_complete",
        "response_started",
        "transport",
        "waiting_for_100_continue",
    ):
        assert f"self.{name} = " in source, name
    assert "self.expected_content_length = " in source


def test_the_server_asks_a_cycle_for_its_send_only_when_it_runs() -> None:
    assert "self.scope, self.receive, self.send" in inspect.getsource(RequestResponseCycle.run_asgi)


def test_an_error_in_a_callback_ends_in_send_400_response() -> None:
    source = inspect.getsource(HttpToolsProtocol.data_received)

    assert "except httptools.HttpParserError" in source
    assert "self.send_400_response(" in source


def test_a_cycle_closes_by_the_transport_it_holds() -> None:
    assert "self.transport.close()" in inspect.getsource(RequestResponseCycle.send)
    assert httptools_impl.HIGH_WATER_LIMIT == 65536
    assert {"read_paused", "write_paused"} <= vars(FlowControl(None)).keys()
