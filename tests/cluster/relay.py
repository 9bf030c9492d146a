"""Connects two network namespaces by a line with a delay and loss: ``relay.py A B DELAY_S LOSS``.

Each namespace gets a device of its own, 10.99.0.1 and 10.99.0.2. This program carries the packets between them, which
needs no module of the kernel but ``tun``. It prints ``ready`` and runs until it is ended.
"""

from __future__ import annotations

import fcntl
import heapq
import itertools
import os
import random
import select
import struct
import subprocess
import sys
import time

_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


def device(name: str, namespace: str, address: str) -> int:
    """A device in a namespace; the descriptor that has its packets."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH", name.encode(), _IFF_TUN | _IFF_NO_PI))
    for words in (
        ["link", "set", name, "netns", namespace],
        ["-n", namespace, "addr", "add", f"{address}/24", "dev", name],
        ["-n", namespace, "link", "set", name, "up"],
        ["-n", namespace, "link", "set", "lo", "up"],
    ):
        subprocess.run(["ip", *words], check=True)
    return descriptor


def main(first: str, second: str, delay_s: float, loss: float) -> None:
    """Carry packets."""
    ends = (device(f"{first}0", first, "10.99.0.1"), device(f"{second}0", second, "10.99.0.2"))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    draw, order = random.Random(0), itertools.count()  # noqa: S311 - no secret
    waiting: list[tuple[float, int, int, bytes]] = []
    while True:
        wait_s = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        for end in select.select(ends, [], [], wait_s)[0]:
            packet = os.read(end, 65536)
            if draw.random() >= loss:
                other = ends[1] if end == ends[0] else ends[0]
                heapq.heappush(waiting, (time.monotonic() + delay_s, next(order), other, packet))
        while waiting and waiting[0][0] <= time.monotonic():
            os.write(waiting[0][2], heapq.heappop(waiting)[3])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))
