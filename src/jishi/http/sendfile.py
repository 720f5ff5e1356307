"""Bytes of a file into a socket, by the kernel, without a thread while they are in memory."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from typing import BinaryIO, Final

STALL_SECONDS_MAX: Final = 60
"""How long a caller may take no byte of an answer, or send none of a body."""
SEND_BYTES: Final = 4 << 20
"""One ``sendfile``; of 1 MiB it reached 0.8 of nginx on eight connections, of 4 MiB 1.1."""
STEPS_MAX: Final = 2
"""What one connection may send in a turn of the loop."""
READ_AHEAD_BYTES: Final = 16 << 20
"""What the kernel is told to read when a file turns out not to be in memory."""
HAS_ZERO_COPY: Final = sys.platform == "linux"
"""Elsewhere ``sendfile`` differs, and nothing tells whether a page is in memory."""


class FileSending:
    """Bytes of a file on their way into a socket by ``sendfile``.

    uvloop has no ``loop.sendfile`` and refuses ``add_writer`` on a transport's own
    descriptor; a duplicate works on every loop.
    """

    def __init__(self, transport: asyncio.Transport, file: BinaryIO, part: range) -> None:
        """Prepare.

        Args:
            part: Offsets of the bytes to send.
        """
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._source = file.fileno()
        self._offset = part.start
        self._left = len(part)
        self._done: asyncio.Future[None] = self._loop.create_future()
        self._target = -1
        self._probes = True

    async def run(self) -> None:
        """Send.

        Raises:
            OSError: If the caller left or took nothing for ``STALL_SECONDS_MAX``.
            EOFError: If the file ends early.
        """
        await self._until_head_is_gone()
        own: socket.socket = self._transport.get_extra_info("socket")
        cold = self._is_cold()
        if not cold and self._step(own.fileno()):
            return
        self._target = os.dup(own.fileno())
        _cork(own, on=True)
        timer = _Watch(self._loop, lambda: self._left, self._settle)
        try:
            if cold:
                self._read_ahead()
            else:
                self._go_on()
            await self._done
        finally:
            timer.cancel()
            self._loop.remove_writer(self._target)
            os.close(self._target)
            if not self._transport.is_closing():
                _cork(own, on=False)

    async def _until_head_is_gone(self) -> None:
        """Wait for the transport's own buffer: file bytes must not overtake it."""
        until = self._loop.time() + STALL_SECONDS_MAX
        while self._transport.get_write_buffer_size() and not self._transport.is_closing():
            if self._loop.time() > until:
                raise TimeoutError
            await asyncio.sleep(0.001)
        if self._transport.is_closing():
            raise ConnectionResetError

    def _go_on(self) -> None:
        self._loop.add_writer(self._target, self._push)

    def _push(self) -> None:
        try:
            for _ in range(STEPS_MAX):
                if self._is_cold():
                    self._loop.remove_writer(self._target)
                    self._read_ahead()
                    return
                left = self._left
                if self._step(self._target):
                    self._settle(None)
                    return
                if self._left == left:
                    return
        except (OSError, EOFError) as error:
            self._settle(error)

    def _step(self, target: int) -> bool:
        """Send once; return whether all is sent."""
        try:
            sent = os.sendfile(target, self._source, self._offset, min(self._left, SEND_BYTES))
        except BlockingIOError:
            return False
        if not sent:
            raise EOFError
        self._offset += sent
        self._left -= sent
        self._probes = True
        return not self._left

    def _is_cold(self) -> bool:
        """Whether the next bytes would have to come from the disk and stop the loop."""
        if not self._probes:
            return False
        self._probes = False
        last = self._offset + min(self._left, SEND_BYTES) - 1
        try:
            for offset in (self._offset, last):
                os.preadv(self._source, [bytearray(1)], offset, os.RWF_NOWAIT)
        except BlockingIOError:
            return True
        except OSError:  # a file system that cannot say
            return False
        return False

    def _read_ahead(self) -> None:
        source = os.dup(self._source)  # its own, so that no thread reads from a number reused
        count = min(self._left, SEND_BYTES)
        reading = self._loop.run_in_executor(None, _read, source, self._offset, count)
        reading.add_done_callback(self._after_reading)

    def _after_reading(self, reading: asyncio.Future[None]) -> None:
        error = None if reading.cancelled() else reading.exception()
        if isinstance(error, Exception):
            self._settle(error)
        elif not self._done.done():
            self._go_on()

    def _settle(self, error: Exception | None) -> None:
        self._loop.remove_writer(self._target)
        if self._done.done():
            return
        if error is None:
            self._done.set_result(None)
        else:
            self._done.set_exception(error)


def _cork(target: socket.socket, *, on: bool) -> None:
    """Have the kernel fill its segments; worth a tenth of the speed of a large file."""
    if target.family in {socket.AF_INET, socket.AF_INET6}:
        target.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, int(on))


def _read(source: int, offset: int, count: int) -> None:
    """Bring ``count`` bytes into the page cache, and have more follow."""
    try:
        os.posix_fadvise(source, offset, READ_AHEAD_BYTES, os.POSIX_FADV_WILLNEED)
        os.pread(source, count, offset)
    finally:
        os.close(source)


class _Watch:
    """Reports a ``TimeoutError`` when a number has stood still for ``STALL_SECONDS_MAX``."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        number: Callable[[], int],
        report: Callable[[Exception], None],
    ) -> None:
        self._loop = loop
        self._number = number
        self._report = report
        self._seen = number()
        self._timer = loop.call_later(STALL_SECONDS_MAX, self._look)

    def cancel(self) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        if self._number() == self._seen:
            self._report(TimeoutError())
            return
        self._seen = self._number()
        self._timer = self._loop.call_later(STALL_SECONDS_MAX, self._look)
