#!/usr/bin/env python3
"""What more hosts gain: a model of the cost of a step, fitted to hosts on this machine, and what it says of others.

What comes after the last backward pass takes, with P processes and S parameters of four bytes,

  a l  +  b 8 S (P - 1) / P / r  +  c S / P  +  d (P - 1)   seconds:

l is how long a packet is under way, r how many bytes go through a cable in a second; a and b are numbers without a
unit: how often a step waits for a packet, and how much more than its bytes (gradients go once to the process that adds
them, parameters once to all) a step sends or waits for. c is the time of adding gradients and of the optimizer's step,
measured with one process; d what the exchange with one other process costs, measured between two hosts with a fast
cable, whose latency is in it: for many hosts it is an upper bound. a and b are fitted by least squares of relative
errors to hosts whose cables are much slower than this machine, so that it does not matter that they share its cores, and
checked on a network that they were not fitted to. Hosts are network namespaces with TCP between them
(tests/processes/hosts.sh): needs root.

The table has 512 samples a host, so that a step's batch grows with the hosts. It leaves out that links are shared, that
hosts wait for the slowest one, and that a larger batch may need more epochs.

  scaling.py PROGRAM      the benchmark `distributed`
"""
import os
import statistics
import subprocess
import sys

PROGRAM = os.path.abspath(sys.argv[1])
HOSTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../processes/hosts.sh")
QUICK = "XGRAD_QUICK" in os.environ
STEPS, TURNS = ("1", 1) if QUICK else ("6", 3)
PROCESSES = [2] if QUICK else [2, 4, 8]
PARAMETERS = {"mlp": 101770, "lenet": 61706, "mlp1000": 1796010, "wide": 24821610}
FITTED, CHECKED = ["mlp", "lenet"], "mlp1000"
ON_PAPER = ["lenet"] if QUICK else ["mlp1000", "lenet", "wide"]
LATENCY, RATE = 2e-3, 50e6 / 8  # of the cables that are measured: seconds, bytes a second
LINKS = [("1 Gbit/s, 50 us", 1e9 / 8, 50e-6), ("25 Gbit/s, 10 us", 25e9 / 8, 10e-6)]


def step(network, processes, link=f"{1e3 * LATENCY:g} {8e-6 * RATE:g}"):
    """Medians: seconds of a step, and of its end."""
    results = []
    for _ in range(TURNS):
        command = [PROGRAM, network, "512", "8", "1", STEPS]
        if processes > 1:
            command = ["bash", HOSTS, str(processes), link, *command]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 77:
            print(done.stdout.strip())
            sys.exit(0)
        if done.returncode != 0:
            sys.exit(done.stderr)
        results.append([float(number) for number in done.stdout.strip().split(",")[2:]])
    return [statistics.median(column) for column in zip(*results)]


def under_way(network, processes):
    """Seconds that the bytes take at the cable's rate."""
    return 8 * PARAMETERS[network] * (processes - 1) / processes / RATE


def main():
    ends = {(network, processes): step(network, processes)[1]
            for network in [*FITTED, CHECKED] for processes in [1, *PROCESSES]}

    d = min(step(network, 2, "")[1] - ends[network, 1] / 2 for network in FITTED)

    def sent(network, processes):
        return ends[network, processes] - ends[network, 1] / processes - d * (processes - 1)

    rows = [(LATENCY, under_way(network, processes), sent(network, processes))
            for network in FITTED for processes in PROCESSES]
    # Each row is divided by its seconds: errors are relative.
    xx, xy, yy, x1, y1 = (sum(f(x / s, y / s) for x, y, s in rows) for f in (
        lambda x, y: x * x, lambda x, y: x * y, lambda x, y: y * y, lambda x, y: x, lambda x, y: y))
    determinant = xx * yy - xy * xy
    a, b = (x1 * yy - y1 * xy) / determinant, (y1 * xx - x1 * xy) / determinant
    worst = max(abs(a * x + b * y - s) / s for x, y, s in rows)
    print(f"a = {a:.1f}, b = {b:.2f}, d = {1e3 * d:.2f} ms; "
          f"the fit to {' and '.join(FITTED)} is wrong by {100 * worst:.0f} % at most")
    for processes in PROCESSES:
        model = a * LATENCY + b * under_way(CHECKED, processes) + ends[CHECKED, 1] / processes + d * (processes - 1)
        print(f"{CHECKED}, not fitted, {processes} hosts: {ends[CHECKED, processes]:.3f} s, "
              f"the model says {model:.3f} s")

    print("\nefficiency in percent, 512 samples a host and step, one thread\n")
    print(f"| network | link | seconds alone | {' | '.join(str(2**k) for k in range(1, 11))} hosts |")
    print("|---|---|---|" + "---|" * 10)
    for network in ON_PAPER:
        alone, end = step(network, 1)
        for name, rate, latency in LINKS:
            cells = []
            for processes in (2**k for k in range(1, 11)):
                seconds = 8 * PARAMETERS[network] * (processes - 1) / processes / rate
                more = a * latency + b * seconds - end * (1 - 1 / processes) + d * (processes - 1)
                cells.append(f"{100 * alone / (alone + more):.0f}")
            print(f"| {network}, {PARAMETERS[network] / 1e6:.2g} M | {name} | {alone:.3f} | {' | '.join(cells)} |")


main()
