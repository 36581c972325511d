#!/usr/bin/python3
"""Steps of a network with PyTorch's DistributedDataParallel over gloo, one thread a process, with Adam.

  ddp.py mlp1000|lenet BATCH STEPS PROCESSES      prints "network,processes,seconds of a step", the median
"""
import os
import statistics
import sys
import time

import torch
import torch.distributed
import torch.multiprocessing
from torch import nn


def make(name):
    if name == "mlp1000":
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 1000), nn.ReLU(), nn.Linear(1000, 1000), nn.ReLU(),
                             nn.Linear(1000, 10))
    return nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
                         nn.Linear(84, 10))


def train(rank, name, batch, steps, processes):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="29531")
    torch.distributed.init_process_group("gloo", rank=rank, world_size=processes)
    torch.set_num_threads(1)
    torch.manual_seed(1)
    model = nn.parallel.DistributedDataParallel(make(name))
    optimizer = torch.optim.Adam(model.parameters())
    loss = nn.CrossEntropyLoss()
    images, labels = torch.rand(batch // processes, 1, 28, 28), torch.randint(10, (batch // processes,))
    times = []
    for _ in range(2 + steps):
        start = time.perf_counter()
        optimizer.zero_grad()
        loss(model(images), labels).backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    if rank == 0:
        print(f"{name},{processes},{statistics.median(times[2:]):.9f}")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    network, size, count, world = sys.argv[1], *map(int, sys.argv[2:5])
    torch.multiprocessing.spawn(train, (network, size, count, world), nprocs=world)
