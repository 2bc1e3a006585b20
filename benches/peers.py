"""Our optimizers beside PyTorch's and schedulefree's: seconds a step on one core, taken in turns.

    cargo bench --bench optimizers --no-run
    python benches/peers.py [ROUNDS]         # needs torch and schedulefree

Each round times both sides, so that whatever else the machine does falls on both alike; the table holds
the medians over the rounds. Weights and gradients are those of `benches/optimizers.rs`.
"""

import csv
import io
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import schedulefree
import torch

LAYERS = {"670k": [784, 512, 512, 10], "16k": [64, 128, 64]}
PEERS = {
    "adamw": ("torch AdamW(fused=True)", lambda p: torch.optim.AdamW(p, lr=1e-3, fused=True)),
    # AdamW as a formula, beside what torch.optim.AdamW does unless told otherwise.
    "formula": ("torch AdamW", lambda p: torch.optim.AdamW(p, lr=1e-3)),
    "schedule_free_adamw": (
        "schedulefree AdamWScheduleFree",
        lambda p: schedulefree.AdamWScheduleFree(p, lr=2.5e-3),
    ),
    "radam": ("torch RAdam", lambda p: torch.optim.RAdam(p, lr=1e-3)),
    "sgd": ("torch SGD(fused=True)", lambda p: torch.optim.SGD(p, lr=0.1, fused=True)),
    "muon": ("torch Muon", lambda p: torch.optim.Muon([w for w in p if w.ndim == 2], lr=0.02)),
    "adafactor": ("torch Adafactor", lambda p: torch.optim.Adafactor(p, lr=0.01)),
}
GOALS = {"adamw": 1.5, "formula": 1.0, "schedule_free_adamw": 3.5, "radam": 8.0}
SECONDS = 0.3


def parameters(layers):
    """Weights and biases with gradients, in single precision."""
    made = []
    for inputs, outputs in zip(layers, layers[1:]):
        for shape in ((outputs, inputs), (outputs,)):
            weight = torch.nn.Parameter(torch.randn(shape) * 0.05)
            weight.grad = torch.sin(weight.detach()) * 0.1
            made.append(weight)
    return made


def peer_time(make, layers):
    """Nanoseconds a parameter and step: the median over calls, ten at a time."""
    weights = parameters(layers)
    optimizer = make(weights)
    if hasattr(optimizer, "train"):
        optimizer.train()
    # RAdam takes plain steps at first, which are cheaper: past them.
    for _ in range(10):
        optimizer.step()
    times, start = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - start < SECONDS:
        ten = time.perf_counter()
        for _ in range(10):
            optimizer.step()
        times.append((time.perf_counter() - ten) / 10)
    return statistics.median(times) * 1e9 / sum(w.numel() for w in weights)


def bench_binary():
    """The bench that cargo built, as cargo names it."""
    command = ["cargo", "bench", "--offline", "--bench", "optimizers", "--no-run", "--message-format=json"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    built = [json.loads(line) for line in lines if '"executable":"' in line]
    return Path([message["executable"] for message in built if message["target"]["name"] == "optimizers"][0])


def our_times(binary):
    """{(kind, size): nanoseconds a parameter and step}."""
    command = [binary, "--cost", *PEERS]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = csv.DictReader(io.StringIO(out))
    return {(row["kind"], row["size"]): float(row["ns_per_parameter"]) for row in rows}


def main():
    torch.set_num_threads(1)
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    binary = bench_binary()
    ours, theirs = {}, {}
    for _ in range(rounds):
        for key, value in our_times(binary).items():
            ours.setdefault(key, []).append(value)
        for kind, (_, make) in PEERS.items():
            for size, layers in LAYERS.items():
                theirs.setdefault((kind, size), []).append(peer_time(make, layers))
    print(f"torch {torch.__version__}, schedulefree, {rounds} rounds, ns per parameter and step")
    print("| kind | size | ours | peer | peer's | faster | goal |\n| --- | --- | --- | --- | --- | --- | --- |")
    for (kind, size), times in theirs.items():
        mine, peers = statistics.median(ours[kind, size]), statistics.median(times)
        goal = GOALS.get(kind, "") if size == "670k" else ""
        print(f"| {kind} | {size} | {mine:.3f} | {PEERS[kind][0]} | {peers:.3f} | {peers / mine:.1f}x | {goal} |")


if __name__ == "__main__":
    main()
