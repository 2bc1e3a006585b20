"""An MLP on Fashion-MNIST in PyTorch: `optbench run pytorch_mnist.toml`, or `python pytorch_mnist.py` by hand.

The data are idx files, as `optbench data fetch fashion_mnist` or Debian's dataset-fashion-mnist puts them: in the folder
given as argument, or where optbench itself looks. Needs the packages torch, schedulefree and numpy.
"""

import gzip
import os
import sys
from pathlib import Path

import numpy as np
import torch
from schedulefree import AdamWScheduleFree
from torch import nn

import optbench

BATCH = 128


def read(name):
    """An idx file, compressed or not, from the first folder that has it."""
    data = os.environ.get("OPTBENCH_DATA", ".")
    cache = os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")
    places = [*sys.argv[1:], data, f"{data}/fashion-mnist", "/usr/share/dataset-fashion-mnist"]
    places += [f"{cache}/optbench/fashion_mnist"]
    for path in (Path(place) / file for place in places for file in (name, f"{name}.gz")):
        if path.exists():
            with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
                return np.frombuffer(file.read(), np.uint8)
    sys.exit(f"there is no {name} in {', '.join(map(str, places))}")


def split(part):
    images = torch.tensor(read(f"{part}-images-idx3-ubyte")[16:]).reshape(-1, 28 * 28)
    return (images / 255 - 0.2860) / 0.3530, torch.tensor(read(f"{part}-labels-idx1-ubyte")[8:]).long()


def make_optimizer(chosen, parameters):
    """optbench gives every setting a value, so that none is left to a framework's own default."""
    common = {"lr": chosen.get("lr"), "weight_decay": chosen.get("weight_decay", 0), "eps": chosen.get("eps", 1e-8)}
    if chosen.kind == "adamw":
        return torch.optim.AdamW(parameters, betas=(chosen["beta1"], chosen["beta2"]), **common)
    if chosen.kind == "schedule_free_adamw":
        betas = (chosen["beta"], chosen["beta2"])
        return AdamWScheduleFree(parameters, betas=betas, warmup_steps=chosen["warmup"], **common)
    sys.exit(f"this script has no optimizer `{chosen.kind}`")


def evaluate(model, optimizer, images, labels):
    # Schedule-Free trains at other weights than those to evaluate at; others have no such switch.
    switch = isinstance(optimizer, AdamWScheduleFree)
    model.eval()
    if switch:
        optimizer.eval()
    with torch.no_grad():
        scores = model(images)
    model.train()
    if switch:
        optimizer.train()
    accuracy = (scores.argmax(dim=1) == labels).float().mean()
    return {"loss": nn.functional.cross_entropy(scores, labels), "accuracy": accuracy}


run = optbench.run(steps=2000, lr=1e-3, optimizer="adamw", beta1=0.9, beta2=0.999)
device = "cuda" if torch.cuda.is_available() else "cpu"

images, labels = (tensor.to(device) for tensor in split("train"))
train, val = (images[:55_000], labels[:55_000]), (images[55_000:], labels[55_000:])

# Initial weights and the order of batches depend on the seed alone: runs of one seed differ in the optimizer alone.
torch.manual_seed(run.seed)
model = nn.Sequential(nn.Linear(28 * 28, 128), nn.ReLU(), nn.Linear(128, 10)).to(device)
optimizer = make_optimizer(run.optimizer, model.parameters())
if isinstance(optimizer, AdamWScheduleFree):
    optimizer.train()
order = torch.Generator().manual_seed(run.seed)

per_epoch = len(train[0]) // BATCH
for t in range(run.steps):
    if t % per_epoch == 0:
        shuffled = torch.randperm(len(train[0]), generator=order).to(device)
    batch = shuffled[t % per_epoch * BATCH :][:BATCH]
    for group in optimizer.param_groups:
        group["lr"] = run.lr(t)
    loss = nn.functional.cross_entropy(model(train[0][batch]), train[1][batch])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    run.log(t + 1, loss)
    if run.is_due(t + 1):
        run.evaluate(t + 1, **evaluate(model, optimizer, *val))

test = (tensor.to(device) for tensor in split("t10k"))
run.evaluate(run.steps, split="test", **evaluate(model, optimizer, *test))
