"""A script that knows nothing of optbench: flags on its command line, text on its output.

It fits a line to noisy points by gradient descent: `python unchanged.py --lr 0.1 --momentum 0.9`.
"""

import argparse
import random

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--momentum", type=float, default=0.0)
parser.add_argument("--decay", choices=["none", "half"], default="none")
parser.add_argument("--steps", type=int, default=200)
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()


def points(n, source):
    xs = [source.uniform(-1, 1) for _ in range(n)]
    return [(x, 3 * x - 1 + source.gauss(0, 0.5)) for x in xs]


def mean_squared_error(a, b, among):
    return sum((a * x + b - y) ** 2 for x, y in among) / len(among)


train, val = points(500, random.Random(1)), points(500, random.Random(2))
source = random.Random(arguments.seed)
a, b = source.gauss(0, 1), source.gauss(0, 1)
velocity_a = velocity_b = 0.0

for step in range(1, arguments.steps + 1):
    batch = source.sample(train, 16)
    lr = arguments.lr * (0.5 if arguments.decay == "half" and 2 * step > arguments.steps else 1.0)
    slope_a = sum(2 * (a * x + b - y) * x for x, y in batch) / len(batch)
    slope_b = sum(2 * (a * x + b - y) for x, y in batch) / len(batch)
    velocity_a = arguments.momentum * velocity_a + slope_a
    velocity_b = arguments.momentum * velocity_b + slope_b
    a, b = a - lr * velocity_a, b - lr * velocity_b
    if step % 20 == 0 or step == arguments.steps:
        print(f"[{step}/{arguments.steps}] train loss: {mean_squared_error(a, b, batch):.4f}")
        print(f"    val mse: {mean_squared_error(a, b, val):.6f}")
