"""A network switch whose cables are slow: each frame arrives so many milliseconds later, and no cable carries more than
so many megabits a second. It joins TAP devices, one for each host, and says when they are there.

  switch.py MILLISECONDS MEGABITS DEVICE...       until it is killed
"""
import fcntl
import heapq
import os
import select
import struct
import sys
import time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000  # linux/if_tun.h
LONGEST_FRAME = 65536
BROADCAST = b"\xff" * 6

delay, seconds_a_byte = float(sys.argv[1]) / 1e3, 8 / (float(sys.argv[2]) * 1e6)
ports = []
for device in sys.argv[3:]:
    port = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(port, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TAP | IFF_NO_PI))
    ports.append(port)
print("ready", flush=True)

free = {port: 0.0 for port in ports}  # when the cable from that host is free again
port_of = {}  # each address, where it was seen
under_way = []  # a heap of (arrival, number, port, frame)
count = 0
while True:
    now = time.monotonic()
    while under_way and under_way[0][0] <= now:
        _, _, port, frame = heapq.heappop(under_way)
        try:
            os.write(port, frame)
        except OSError:  # its queue is full, or the device is not up: lost, as on any network
            pass
    wait = max(under_way[0][0] - now, 0) if under_way else None
    for port in select.select(ports, [], [], wait)[0]:
        try:
            frame = os.read(port, LONGEST_FRAME)
        except OSError:
            continue
        to, port_of[frame[6:12]] = frame[:6], port
        free[port] = max(free[port], time.monotonic()) + len(frame) * seconds_a_byte
        for other in [port_of[to]] if to in port_of and to != BROADCAST else ports:
            if other != port:
                count += 1
                heapq.heappush(under_way, (free[port] + delay, count, other, frame))
