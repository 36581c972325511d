"""Training in several processes: the same bits on 1, 2, 4 and 8, whatever is killed, refused or late.

  processes_test.py BUILD_FOLDER [NAMES OF TESTS]     ends with 77 where there is no mpirun
"""
import csv
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

HOSTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hosts.sh")
BUILD = os.path.abspath(sys.argv[1])
TRAIN, PROGRAM = f"{BUILD}/examples/train/train", f"{BUILD}/tests/processes"
if not shutil.which("mpirun"):
    print("skipped: mpirun is missing. On Debian: apt-get install openmpi-bin")
    sys.exit(77)
os.environ.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")  # a container may have no other user
MPIRUN = ["mpirun", "--oversubscribe", "--bind-to", "none"]  # there may be fewer cores than processes
os.chdir(tempfile.mkdtemp())
failures = []


def check(holds, *what):
    if not holds:
        failures.append(what)
        print("FAILED:", *what, flush=True)


def living(parent):
    """Processes that it has started, and that have not ended."""
    found = subprocess.run(["ps", "--ppid", str(parent), "-o", "pid=,stat="], capture_output=True, text=True,
                           check=False)
    rows = [row.split() for row in found.stdout.splitlines()]
    return [int(pid) for pid, state in rows if not state.startswith("Z")]


def output_of(mpirun, seconds):
    """What it has printed; None where mpirun goes on for 10 seconds after all of its processes have ended: Open MPI 4.1.4
    then waits for itself. That is seldom, once in 300 times or so, and where one process ends while others start."""
    start = time.monotonic()
    alone_since = None
    while True:
        try:
            return mpirun.communicate(timeout=1)
        except subprocess.TimeoutExpired:
            processes = living(mpirun.pid)
            alone_since = None if processes else alone_since or time.monotonic()
            if alone_since and time.monotonic() - alone_since > 10:
                mpirun.kill()
                mpirun.communicate()
                return None
            if time.monotonic() - start > seconds:
                for process in (*processes, mpirun.pid):
                    os.kill(process, signal.SIGKILL)
                raise


def run(command, seconds=300):
    for _ in range(3):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as mpirun:
            output = output_of(mpirun, seconds)
            if output:
                return subprocess.CompletedProcess(command, mpirun.returncode, *output)
    raise TimeoutError(f"mpirun hangs again and again: {command}")


def on(processes, *command):
    return run([*MPIRUN, "-n", str(processes), *command])


def saved(path):
    """All that a checkpoint holds, but for the seconds that it took, and the checksum over these."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    notes = header.pop("__metadata__")
    points = notes.pop("history.points").split()
    del notes["scalar:history.seconds"], notes["xgrad:crc32"], points[4::6]  # of each point's numbers the fifth
    tensors = {name: (entry["shape"], data[slice(*entry["data_offsets"])]) for name, entry in header.items()}
    return tensors, notes, points


def printed(text):
    return re.sub(r"[\d.]+ m?s( so far)?|[\d.]+ *[KM]?i?B\b", "", text)


def table(path):
    with open(path, encoding="utf-8") as lines:
        return [{name: value for name, value in row.items() if "seconds" not in name} for row in csv.DictReader(lines)]


def same_bits():
    """Weights, state, and what is printed, after 50 steps."""
    small = ["--samples", "400", "--epochs", "2"]
    trainings = [
        ["--model", "mlp", "--optimizer", "adam"],
        ["--model", "mlp", "--optimizer", "sgd", "--momentum", "0.9"],
        ["--model", "lenet", "--optimizer", "adamax-rows"],
        ["--model", "lenet", "--optimizer", "muon", "--clip", "0.5"],
        ["--model", "lenet", "--optimizer", "lookahead"],
        ["--model", "mlp", "--optimizer", "sf-adamw"],
        ["--model", "mlp", "--optimizer", "adafactor"],
        ["--model", "cnn", "--optimizer", "adamw", "--augment", "--schedule", "cosine", "--validation", "0.1",
         "--clip", "1", "--batch-size", "14"],  # a last batch of fewer, in parts of unlike sizes
        ["--model", "cnn", "--optimizer", "adamax"],
    ]
    by_turns = [[(1, 1), (1, 2), (2, 1), (4, 2), (8, 1)], [(1, 2), (1, 1), (2, 2), (4, 1), (8, 2)]]
    for number, training in enumerate(trainings):
        if "--batch-size" not in training:
            training += ["--batch-size", "16"]
        first = None
        for processes, threads in by_turns[number % 2]:
            name = f"{processes}"
            for leftover in (name, name + ".csv"):
                if os.path.exists(leftover):
                    os.remove(leftover)
            done = on(processes, TRAIN, *small, *training, "--threads", str(threads), "--checkpoint", name, "--csv",
                      name + ".csv")
            check(done.returncode == 0, training, processes, done.stderr)
            if done.returncode != 0:
                break
            now = saved(name), printed(done.stderr), table(name + ".csv")
            first = first or now
            check(now == first, training, f"{processes} processes, {threads} threads: other results than with one")


def alone():
    """`train --micro-batches 8` without mpirun is the same training."""
    training = ["--samples", "200", "--epochs", "1", "--model", "lenet", "--optimizer", "adam", "--checkpoint"]
    subprocess.run([TRAIN, *training, "alone", "--micro-batches", "8"], check=True, capture_output=True)
    on(2, TRAIN, *training, "two")
    check(saved("alone") == saved("two"), "two processes compute something else than one without mpirun")
    done = subprocess.run([TRAIN, *training, "alone", "--resume"], capture_output=True, text=True, check=False)
    check(done.returncode == 2 and "micro-batches 8 rather than none" in done.stderr, done.stderr)


def dropout():
    """What is drawn at random belongs to a micro-batch, whoever computes it."""
    for scalar in ("float", "double"):
        printed_ = [on(processes, f"{PROGRAM}_{scalar}", "dropout", "60").stdout for processes in (1, 2, 4, 8)]
        check(len(printed_[0].split()) == 182 and len(set(printed_)) == 1, scalar, "dropout depends on the processes")


def killed():
    """One of the processes gets SIGKILL, at 30 moments; the rest of the training gives the same bytes."""
    dice = random.Random(1)
    training = [TRAIN, "--samples", "400", "--epochs", "2", "--model", "lenet", "--optimizer", "adamax", "--threads",
                "1", "--checkpoint-every", "2", "--checkpoint"]
    on(1, *training, "undisturbed")
    expected = saved("undisturbed")
    hits = named = 0
    for moment in range(30):
        if os.path.exists("disturbed"):
            os.remove("disturbed")
        for processes in (4, 2):
            resume = ["--resume"] if os.path.exists("disturbed") else []
            with subprocess.Popen([*MPIRUN, "-n", str(processes), *training, "disturbed", *resume], text=True,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as running:
                time.sleep(dice.uniform(0.2, 0.9))
                children = living(running.pid)
                if children:
                    try:
                        os.kill(dice.choice(children), signal.SIGKILL)
                    except ProcessLookupError:
                        children = []  # it has just ended
                start = time.monotonic()
                while living(running.pid):
                    time.sleep(0.05)
                    if time.monotonic() - start > 60:
                        break
                end = time.monotonic()
                output = output_of(running, 60)
                if output is None or running.returncode != 0:
                    hits += 1
                    check(children and end - start < 10, "the others took longer than 10 s to end")
                # Of one that it has hardly started mpirun says that it returned a non-zero exit code.
                if output and running.returncode != 0:
                    named += "signal 9 (Killed)" in output[1]
                    check(re.search(r"signal 9 \(Killed\)|non-zero exit code", output[1]), "nobody says what happened:",
                          output[1])
        resume = ["--resume"] if os.path.exists("disturbed") else []
        done = on(1, *training, "disturbed", *resume)
        check(done.returncode == 0, moment, done.stderr)
        check(saved("disturbed") == expected, f"moment {moment}: other results than undisturbed")
    check(named >= hits / 2, "of", hits, "processes that were killed,", named, "were said to be")
    check(hits >= 15, "only", hits, "processes were killed before they had ended")


def stopped():
    """SIGTERM to mpirun: all save and end together, and others go on."""
    training = [TRAIN, "--samples", "3000", "--epochs", "8", "--model", "lenet", "--optimizer", "adam", "--threads",
                "1", "--checkpoint"]
    on(1, *training, "whole")
    with subprocess.Popen([*MPIRUN, "-n", "2", *training, "stopped", "--checkpoint-every", "1"], text=True,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as running:
        while not os.path.exists("stopped") and running.poll() is None:
            time.sleep(0.02)
        running.send_signal(signal.SIGTERM)
        _, errors = output_of(running, 60) or ("", "mpirun hangs")
    check("train: interrupted" in errors and running.returncode != 0, "the signal was not heard", errors)
    done = on(4, *training, "stopped", "--resume")
    check(done.returncode == 0 and saved("stopped") == saved("whole"), "other results after a stop", done.stderr)


def refused():
    """One message, printed once, and never a hang."""
    base = ["--samples", "64", "--epochs", "1", "--hidden", "8"]

    def apart(first, second):
        return [*MPIRUN, "-n", "1", TRAIN, *base, *first, ":", "-n", "1", TRAIN, *base, *second]

    def alike(processes, *options):
        return [*MPIRUN, "-n", str(processes), TRAIN, *base, *options]

    def program(what, processes=4, deadline="20"):
        return [*MPIRUN, "-n", str(processes), f"{PROGRAM}_float", what, deadline]

    cases = [
        (apart(["--lr", "0.1"], ["--lr", "0.2"]), "process 1 has another lr than process 0: 0.2, not 0.1"),
        (apart(["--seed", "1"], ["--seed", "2"]), "process 1 has another "),
        (apart([], ["--batch-size", "32"]), "process 1 has another batch-size than process 0: 32, not 64"),
        (apart([], ["--model", "lenet", "--optimizer", "sgd"][2:]), "process 1 has another number of optimizers"),
        (apart([], ["--data", "nowhere"]), "process 1: "),
        (apart(["--data", "nowhere"], []), "process 0: "),
        (apart([], ["--micro-batches", "4"]), "process 1 has another number of micro-batches than process 0: 4, not 8"),
        (apart([], ["--epochs"]), "process 1: --epochs needs a value"),
        (alike(2, "--data", "nowhere"), "train: [mnist] no folder nowhere"),
        (alike(2, "--no-such-option"), "train: unknown option --no-such-option"),
        (alike(2, "--classify", "x.png", "--checkpoint", "x"), "--classify"),
        (alike(3), "3 processes for 8 micro-batches: expected 1, 2, 4 or 8 processes"),
        (alike(8, "--micro-batches", "4"), "8 processes for 4 micro-batches: expected 1, 2 or 4 processes"),
        (alike(2, "--micro-batches", "6"), "--micro-batches: expected a power of two, got 6"),
        (alike(2, "--optimizer", "prodigy"), "Prodigy adds up over all parameters"),
        (alike(2, "--optimizer", "sophia"), "the steps of Sophia take their gradients themselves"),
        (alike(2, "--optimizer", "sgd", "--lr", "1e30"), "sgd stopped: process 1: [evaluation] a score is not finite"),
        (program("nan"), "process 1: [backward] the loss is nan"),
        (program("throws"), "process 1: the disk is gone"),
        (program("leaves"), "process 1 has ended"),
        (program("elsewhere"), "they do not run the same program"),
        (program("another model"), "process 1 has another list of parameters than process 0: weight (5, 4)"),
        (program("goes on"), "process 1: once"),
        (program("late", deadline="1"), "process 1 did not arrive within 1 s"),
        ([*MPIRUN, "-n", "1", f"{PROGRAM}_float", "well", "9", ":", "-n", "1", f"{PROGRAM}_double", "well", "9"],
         "process 1 has another library than process 0"),
    ]
    for command, text in cases:
        start = time.monotonic()
        done = run(command, 120)
        said = done.stdout + done.stderr
        shown = command[len(MPIRUN):]
        check(done.returncode != 0, shown, "was not refused:", said)
        check(said.count(text) == 1, shown, f"says {said.count(text)} times {text!r}:", said)
        check(time.monotonic() - start < 25, shown, "took", time.monotonic() - start, "s")
    done = on(4, f"{PROGRAM}_float", "well", "20")
    check(done.returncode == 0 and done.stdout == "", "a program without faults:", done.stdout, done.stderr)


def hosts():
    """Several hosts, with TCP between them: fast, slow, and with a delay. The same bytes again."""
    training = [TRAIN, "--samples", "200", "--epochs", "1", "--model", "lenet", "--optimizer", "adam", "--threads", "1",
                "--checkpoint"]
    on(1, *training, "one_host")
    for count, link in ((2, ""), (4, ""), (2, "0 100"), (2, "2 1000"), (4, "1 200")):  # milliseconds, megabits a second
        name = f"hosts_{count}_{link}"
        done = subprocess.run(["bash", HOSTS, str(count), link, *training, name], capture_output=True, text=True,
                              timeout=300, check=False)
        if done.returncode == 77:
            print(f"hosts: {count}, {link!r}: {done.stdout.strip()}")
            continue
        check(done.returncode == 0, count, link, done.stderr)
        check(done.returncode == 0 and saved(name) == saved("one_host"), count, "hosts,", link, ": other results")


def memory():
    """Each of four processes keeps a quarter of Adam's state."""
    shares = [float(share) for share in on(4, f"{PROGRAM}_float", "state", "60").stdout.split()]
    check(len(shares) == 4 and max(shares) <= 0.25 * 1.01, "shares of the state:", shares)


def readme():
    """README's program says the same on one and on two processes."""
    with open(f"{BUILD}/tests/readme_processes", encoding="utf-8") as name:
        program = f"{BUILD}/tests/{name.read().strip()}"
    alone_, two = on(1, program), on(2, program)
    check(alone_.returncode == 0 and "accuracy" in alone_.stdout, alone_.stdout, alone_.stderr)
    check(alone_.stdout == two.stdout, "one process says", alone_.stdout, "and two", two.stdout)


for test in (same_bits, alone, dropout, killed, stopped, refused, hosts, memory, readme):
    if not sys.argv[2:] or test.__name__ in sys.argv[2:]:
        began = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - began:.0f} s", flush=True)
sys.exit(1 if failures else 0)
