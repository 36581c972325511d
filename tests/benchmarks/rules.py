#!/usr/bin/env python3
"""Each optimizer of `train` at its best rate, on one network: a table of test accuracies.

The rate is chosen on held-out samples with one seed: from the optimizer's default up and down by factors of 3, until
the best one lies inside. Then each of five other seeds trains on all samples, and reads the test set once.

  rules.py TRAIN DATA_FOLDER [MODEL [EPOCHS [OPTIMIZER…]]]
"""
import csv
import os
import statistics
import subprocess
import sys
import tempfile

program, data = sys.argv[1:3]
model = sys.argv[3] if len(sys.argv) > 3 else "mlp"
epochs = sys.argv[4] if len(sys.argv) > 4 else "5"
FACTOR, MOST_RATES, TUNING_SEED, SEEDS = 3.0, 9, "0", ["1", "2", "3", "4", "5"]


def defaults():
    """The optimizers that --help lists, with their default rates."""
    text = subprocess.run([program, "--help"], check=True, capture_output=True, text=True).stdout
    lines = text.split("decay rule\n")[1].split("\n\n")[0].splitlines()
    return {line.split()[0]: float(line.split()[1]) for line in lines}


def last_row(optimizer, rate, *options):
    """What the last epoch measured. None where the training diverged."""
    with tempfile.TemporaryDirectory() as folder:
        table = f"{folder}/run.csv"
        command = [program, "--data", data, "--model", model, "--epochs", epochs, "--optimizer", optimizer,
                   "--lr", repr(rate), "--csv", table, *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not os.path.exists(table):
            sys.exit(done.stderr)
        with open(table, encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
    return rows[-1] if rows and rows[-1]["epoch"] == epochs and rows[-1]["test_accuracy"] else None


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
    chosen = sys.argv[5:] or list(rates)
    print(f"{model}, {epochs} epochs, constant rate: test accuracy in percent of seeds {', '.join(SEEDS)}\n")
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
