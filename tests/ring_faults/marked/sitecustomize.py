"""Marks every socket of a program that is started with this folder on PYTHONPATH.

A rule of the test's network then drops what such sockets send: the program is cut off, and nobody
else is.
"""

import os
import socket
from typing import Any

_MARK = int(os.environ["CATALOG_TEST_SOCKET_MARK"])


class _MarkedSocket(socket.socket):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        if self.family in (socket.AF_INET, socket.AF_INET6):
            self.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, _MARK)


socket.socket = _MarkedSocket  # type: ignore[misc]
