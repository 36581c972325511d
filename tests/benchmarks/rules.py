#!/usr/bin/env python3
"""Each optimizer of `train` at its best rate, on one network: a table of test accuracies.

The rate is chosen on held-out samples with one seed: from the optimizer's default up and down by factors of 3, until
the best one lies inside. Then each of five other seeds trains on all samples, and reads the test set once.

  rules.py TRAIN --data FOLDER [--optimizers LIST] [OPTIONS OF TRAIN, such as --model lenet --epochs 3]
"""
import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("train")
parser.add_argument("--optimizers", type=lambda names: names.split(","), help="[all]")
parser.add_argument("--epochs", default="5")
arguments, options_of_all = parser.parse_known_args()
FACTOR, MOST_RATES, TUNING_SEED, SEEDS = 3.0, 9, "0", ["1", "2", "3", "4", "5"]


def defaults():
    """The optimizers that --help lists, with their default rates."""
    text = subprocess.run([arguments.train, "--help"], check=True, capture_output=True, text=True).stdout
    lines = text.split("decay rule\n")[1].split("\n\n")[0].splitlines()
    return {line.split()[0]: float(line.split()[1]) for line in lines}


def last_row(optimizer, rate, *options):
    """What the last epoch measured. None where the training diverged."""
    with tempfile.TemporaryDirectory() as folder:
        table = f"{folder}/run.csv"
        command = [arguments.train, *options_of_all, "--epochs", arguments.epochs, "--optimizer", optimizer,
                   "--lr", repr(rate), "--csv", table, *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not os.path.exists(table):
            sys.exit(done.stderr)
        with open(table, encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
    ended = rows and rows[-1]["epoch"] == arguments.epochs and rows[-1]["test_accuracy"]
    return rows[-1] if ended else None


def held_out_accuracy(optimizer, rate):
    row = last_row(optimizer, rate, "--seed", TUNING_SEED, "--validation", "0.1")
    return float(row["validation_accuracy"] or 0) if row else 0.0


def best_rate(optimizer, rate):
    """The best of the rates, and whether it lies inside of those that were tried."""
    found = {step: held_out_accuracy(optimizer, rate * FACTOR**step) for step in (-1, 0, 1)}
    while True:
        best = max(found, key=found.get)
        inside = min(found) < best < max(found)
        if inside or len(found) == MOST_RATES:
            return rate * FACTOR**best, inside
        step = best + (1 if best == max(found) else -1)
        found[step] = held_out_accuracy(optimizer, rate * FACTOR**step)


def main():
    rates = defaults()
    chosen = arguments.optimizers or list(rates)
    options = " ".join([*options_of_all, "--epochs", arguments.epochs])
    print(f"train {options}: test accuracy in percent of seeds {', '.join(SEEDS)}\n")
    print(f"{'optimizer':15} {'rate':>9}  median  least   most", flush=True)
    for optimizer in chosen:
        rate, inside = best_rate(optimizer, rates[optimizer])
        rows = [last_row(optimizer, rate, "--seed", seed) for seed in SEEDS]
        accuracies = [100 * float(row["test_accuracy"]) for row in rows if row]
        failed = f"  {len(SEEDS) - len(accuracies)} failed" if len(accuracies) < len(SEEDS) else ""
        mark = "" if inside else "  the best rate lies at an end"
        if not accuracies:
            print(f"{optimizer:15} {rate:9.3g}  all of them failed", flush=True)
        else:
            print(f"{optimizer:15} {rate:9.3g}  {statistics.median(accuracies):6.2f} {min(accuracies):6.2f} "
                  f"{max(accuracies):6.2f}{failed}{mark}", flush=True)


main()
