#!/usr/bin/env python3
"""What more hosts gain: a model of the cost of a step, fitted to hosts on this machine, and what it says of others.

What comes after the last backward pass takes, with P processes and S parameters of four bytes,

  a (P - 1)  +  b 8 S (P - 1) / P  +  c S / P   seconds:

a for a message to each other process, b for a byte that is sent (gradients go once to the process that adds them, and
parameters once to all), c for adding gradients and the optimizer's step on an own part. c is measured with one process;
a and b are fitted by least squares of relative errors, and checked on a network that they were not fitted to. Hosts are
network namespaces with TCP between them (tests/processes/hosts.sh): needs root.

The table has 512 samples a host, so that a step's batch grows with the hosts. It leaves out that links are shared, hosts
wait for the slowest one, and a larger batch may need more epochs.

  scaling.py PROGRAM      the benchmark `distributed`
"""
import math
import os
import statistics
import subprocess
import sys

PROGRAM = os.path.abspath(sys.argv[1])
HOSTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../processes/hosts.sh")
QUICK = "XGRAD_QUICK" in os.environ
STEPS, TURNS = ("1", 1) if QUICK else ("15", 3)
PARAMETERS = {"mlp": 101770, "lenet": 61706, "mlp1000": 1796010, "wide": 24821610}
FITTED, CHECKED = ["mlp", "mlp1000"], "lenet"
PROCESSES = [2, 4, 8]
# Gbit/s, and seconds that a message takes: typical of Ethernet, and not measured here.
LINKS = [("1 Gbit/s", 1e9, 50e-6), ("25 Gbit/s", 25e9, 10e-6)]
MESSAGES = 6  # to each other process: three calls, each of which begins with a meeting


def step(network, processes, batch="512"):
    """Medians: seconds of a step, and of its end."""
    results = []
    for _ in range(TURNS):
        command = [PROGRAM, network, batch, "8", "1", STEPS]
        if processes > 1:
            command = ["bash", HOSTS, str(processes), "", *command]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 77:
            print(done.stdout.strip())
            sys.exit(0)
        if done.returncode != 0:
            sys.exit(done.stderr)
        results.append([float(number) for number in done.stdout.strip().split(",")[2:]])
    return [statistics.median(column) for column in zip(*results)]


def ends(network):
    """Seconds a parameter of the end with one process, and of the end with each number of processes."""
    own = step(network, 1)[1] / PARAMETERS[network]
    return own, {processes: step(network, processes)[1] for processes in PROCESSES}


def terms(network, processes):
    return processes - 1, 8 * PARAMETERS[network] * (processes - 1) / processes


def main():
    rows = []  # (x, y, seconds) of a x + b y = seconds
    for network in FITTED:
        own, seconds = ends(network)
        for processes, end in seconds.items():
            rows.append((*terms(network, processes), max(end - own * PARAMETERS[network] / processes, 1e-9)))
    # Each row is divided by its seconds: errors are relative.
    xx, xy, yy, x1, y1 = (sum(f(x / s, y / s) for x, y, s in rows) for f in (
        lambda x, y: x * x, lambda x, y: x * y, lambda x, y: y * y, lambda x, y: x, lambda x, y: y))
    determinant = xx * yy - xy * xy
    a, b = (x1 * yy - y1 * xy) / determinant, (y1 * xx - x1 * xy) / determinant
    worst = max(abs(a * x + b * y - s) / s for x, y, s in rows)
    print(f"a = {1e6 * a:.0f} us a process, b = {1e9 * b:.3f} ns a byte ({1e-6 / b if b > 0 else math.inf:.0f} MB/s); "
          f"the fit is wrong by {100 * worst:.0f} % at most")
    own, seconds = ends(CHECKED)
    for processes, end in seconds.items():
        x, y = terms(CHECKED, processes)
        model = a * x + b * y + own * PARAMETERS[CHECKED] / processes
        print(f"{CHECKED}, not fitted, {processes} hosts: {1e3 * end:.2f} ms, the model says {1e3 * model:.2f} ms")

    print("\nefficiency in percent, 512 samples a host and step, one thread\n")
    print(f"| link | network | seconds alone | {' | '.join(str(2**k) for k in range(1, 11))} hosts |")
    print("|---|---|---|" + "---|" * 10)
    for network in ("mlp1000", "lenet", "wide"):
        alone, end = step(network, 1)
        size = PARAMETERS[network]
        for name, bits, latency in LINKS:
            cells = []
            for processes in (2**k for k in range(1, 11)):
                x, y = terms(network, processes)
                more = MESSAGES * latency * x + 8 / bits * y - end * (1 - 1 / processes)
                cells.append(f"{100 * alone / (alone + more):.0f}")
            print(f"| {name} | {network}, {size / 1e6:.2g} M | {alone:.3f} | {' | '.join(cells)} |")


main()
