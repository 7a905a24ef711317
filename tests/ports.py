"""Ports for servers and groups of processes that tests start."""

import socket


def free_ports(count: int) -> list[int]:
    """Different ports of this machine that nobody listens to now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
