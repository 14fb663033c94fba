"""A machine whose only way out is watched, as a program for a network namespace of its own.

    unshare --net python -m tests.support.outside seen.txt nvr run

Every packet that would leave (also a question to a name server) goes to a tunnel whose other end is here; its
destination becomes a line of SEEN. Loopback works as ever. Ends as COMMAND does.
"""

from __future__ import annotations

import fcntl
import ipaddress
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path

_TUNSETIFF = 0x400454CA
_TUN_WITHOUT_HEAD = 0x1001
_NAME = "out0"
_SETTING_UP = (
    "ip link set lo up",
    f"sysctl -qw net.ipv6.conf.{_NAME}.router_solicitations=0 net.ipv6.conf.{_NAME}.accept_dad=0",
    f"ip address add 192.0.2.1/24 dev {_NAME}",
    f"ip -6 address add 2001:db8::1/64 dev {_NAME}",
    f"ip link set {_NAME} up",
    f"ip route add default dev {_NAME}",
    f"ip -6 route add default dev {_NAME}",
)


def _tunnel() -> int:
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH14x", _NAME.encode(), _TUN_WITHOUT_HEAD))
    for line in _SETTING_UP:
        subprocess.run(line.split(), check=True)
    return descriptor


def destination(packet: bytes) -> str:
    """Where an IP packet is going."""
    address = packet[16:20] if packet[0] >> 4 == 4 else packet[24:40]
    return str(ipaddress.ip_address(address))


def _watch(descriptor: int, seen: Path) -> None:
    with seen.open("a") as file:
        while True:
            found = ipaddress.ip_address(destination(os.read(descriptor, 65_536)))
            if not found.is_multicast:  # the kernel's own: group membership and neighbours
                file.write(f"{found}\n")
                file.flush()


def main(seen: str, *command: str) -> int:
    """Watches while the command runs."""
    watching = threading.Thread(target=_watch, args=(_tunnel(), Path(seen)), daemon=True)
    watching.start()
    return subprocess.run(command).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
