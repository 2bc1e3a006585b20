"""Training steps beside PyTorch's: milliseconds a step on one core, AdamW, taken in turns.

    cargo build --release
    python benches/training.py [ROUNDS]      # needs torch

PyTorch is used as most scripts use it: `nn` modules, default optimizer, loss read at every step. Data are made up, except
for the digits that optbench has built in. The ratio is the median over the rounds; above 1, optbench is faster.
"""

import csv
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

OPTBENCH = Path(__file__).parent.parent / "target/release/optbench"
IMAGES = 4096


def mlp(inputs, hidden):
    """Fully connected layers with ReLU."""
    sizes = [inputs, *hidden, 10]
    layers = [layer for pair in zip(sizes, sizes[1:]) for layer in (nn.Linear(*pair), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *layers[:-1])


def cnn(first, second, hidden):
    """Two convolutions with ReLU and max-pool, then a hidden layer."""
    convolutions = [
        layer
        for pair in ((1, first), (first, second))
        for layer in (nn.Conv2d(*pair, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    ]
    return nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(49 * second, hidden), nn.ReLU(), nn.Linear(hidden, 10))


class Language(nn.Module):
    """Embedding, LSTM and a layer to the characters."""

    def __init__(self, vocabulary, embedding, hidden):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.lstm = nn.LSTM(embedding, hidden, batch_first=True)
        self.out = nn.Linear(hidden, vocabulary)

    def forward(self, tokens):
        return self.out(self.lstm(self.embedding(tokens))[0]).flatten(0, 1)


IMAGE = lambda: torch.randn(IMAGES, 1, 28, 28)
class Block(nn.Module):
    """A pre-norm transformer block."""

    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.qkv, self.out = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.norm2, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.heads = heads

    def forward(self, x):
        q, k, v = (t.unflatten(2, (self.heads, -1)).transpose(1, 2) for t in self.qkv(self.norm1(x)).chunk(3, -1))
        x = x + self.out(functional.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2))
        return x + self.down(functional.gelu(self.up(self.norm2(x)), approximate="tanh"))


class Transformer(nn.Module):
    """A decoder with learned positions."""

    def __init__(self, vocabulary, layers, heads, width, length):
        super().__init__()
        self.embedding, self.position = nn.Embedding(vocabulary, width), nn.Parameter(torch.randn(length, width) * 0.02)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

    def forward(self, tokens):
        return self.head(self.norm(self.blocks(self.embedding(tokens) + self.position))).flatten(0, 1)


def transformer(layers, heads, width, length, batch, steps):
    """A case of a transformer on characters."""
    keys = {"layers": layers, "heads": heads, "embedding": width, "seq_len": length, "batch_size": batch}
    return (
        {"model": "transformer_lm", **keys, "dataset": "markov"},
        lambda: Transformer(27, layers, heads, width, length), lambda: torch.randint(27, (IMAGES, length)), length, 27, steps,
    )


CASES = {  # the keys of the task; the same model in PyTorch; its data; labels an example; classes; steps
    "MLP 784-512-512-10, batch 128": (
        {"model": "mlp", "hidden": [512, 512], "dataset": "idx", "batch_size": 128},
        lambda: mlp(784, [512, 512]), IMAGE, 1, 10, 200,
    ),
    "MLP 64-128-128-10, batch 64": (
        {"model": "mlp", "hidden": [128, 128], "dataset": "digits", "batch_size": 64},
        lambda: mlp(64, [128, 128]), lambda: torch.randn(IMAGES, 64), 1, 10, 4000,
    ),
    "CNN 32, 64 channels, 28x28, batch 64": (
        {"model": "cnn", "channels": [32, 64], "hidden": 128, "dataset": "idx", "batch_size": 64},
        lambda: cnn(32, 64, 128), IMAGE, 1, 10, 60,
    ),
    "LSTM 128 units, 64 characters, batch 32": (
        {"model": "lstm_lm", "embedding": 64, "hidden": 128, "seq_len": 64, "dataset": "markov", "batch_size": 32},
        lambda: Language(27, 64, 128), lambda: torch.randint(27, (IMAGES, 64)), 64, 27, 100,
    ),
    "Transformer 4 x 128, 128 characters, batch 16": transformer(4, 4, 128, 128, 16, 40),
    "Transformer 2 x 64, 64 characters, batch 16": transformer(2, 4, 64, 64, 16, 300),
    "Transformer 6 x 256, 256 characters, batch 4": transformer(6, 4, 256, 256, 4, 15),
}


def write_images(folder):
    """Noise in MNIST's format."""
    for part, count in (("train", IMAGES), ("t10k", 256)):
        pixels = random.Random(part).randbytes(count * 784)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, count, 28, 28) + pixels)
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(
            struct.pack(">2I", 0x801, count) + bytes(i % 10 for i in range(count))
        )


def ours(task, steps):
    """Milliseconds a step of optbench, evaluations left out."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        if task["dataset"] == "idx":
            write_images(folder)
            task = {**task, "path": str(folder)}
        keys = "".join(f"{key} = {value!r}\n" for key, value in task.items())
        (folder / "speed.toml").write_text(
            f'name = "speed"\nseeds = 1\nsteps = {steps}\neval_every = {steps}\n'
            f"[tasks.task]\n{keys}[optimizers.adamw]\nlr = 1e-4\n[schedules.constant]\n"
        )
        command = [OPTBENCH, "run", "speed.toml", "--out", "out", "--jobs", "1", "--threads", "1"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        with open(folder / "out/runs.csv", newline="") as file:
            run = next(csv.DictReader(file))
        return (float(run["seconds"]) - float(run["evaluation_seconds"])) / steps * 1e3


def theirs(task, model, data, labels, classes, steps):
    """Milliseconds a step of PyTorch."""
    model, data, size = model(), data(), task["batch_size"]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)

    def step():
        batch = data[torch.randint(IMAGES, (size,))]
        loss = functional.cross_entropy(model(batch), torch.randint(classes, (size * labels,)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    for _ in range(3):
        step()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - start) / steps * 1e3


def main():
    torch.set_num_threads(1)
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{'':46}optbench    torch    ratio   (ms a step)")
    for name, (task, *rest, steps) in CASES.items():
        pairs = [(ours(task, steps), theirs(task, *rest, steps)) for _ in range(rounds)]
        mine, other = (statistics.median(column) for column in zip(*pairs))
        ratio = statistics.median(other / mine for mine, other in pairs)
        print(f"{name:46}{mine:8.3f} {other:8.3f} {ratio:8.2f}", flush=True)


if __name__ == "__main__":
    main()
