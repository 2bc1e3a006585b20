"""What checkpoints cost: the same training with and without them, in turns, CPU and wall time.

    cargo build --release
    python benches/checkpoints.py [ROUNDS [CASE...]]

Checkpoints are forced some thirty times as often as they are written by default (twice a minute, and never so often
that they take more than a fiftieth of the time). The table gives the seconds that one costs, as
medians over the rounds, and the share of the time that this comes to by default.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OPTBENCH = Path(__file__).resolve().parent.parent / "target/release/optbench"
# Model, its keys, steps, steps between checkpoints.
CASES = {
    "mlp": ('model = "mlp"\nhidden = [512, 512]\nbatch_size = 128', 1500, 75),
    "cnn": ('model = "cnn"\ndataset = "digits"\nchannels = [32, 64]\nhidden = 128', 600, 30),
    "lstm": ('model = "lstm_lm"\nembedding = 64\nhidden = 128\nseq_len = 64\nbatch_size = 32', 300, 15),
}
PERIOD = 30.0


def seconds(task, steps, every, folder):
    """Wall and CPU seconds of one training."""
    config = Path(folder) / "checkpoints.toml"
    config.write_text(
        f'seeds = 1\nsteps = {steps}\neval_every = "100%"\ncheckpoint_every = {every}\n[tasks.t]\n{task}\n'
        "[optimizers.adamw]\n"
    )
    out = tempfile.mkdtemp(dir=folder)
    before, start = os.times(), time.monotonic()
    arguments = ["run", config, "--out", out, "--jobs", "1", "--threads", "1"]
    subprocess.run([OPTBENCH, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall, after = time.monotonic() - start, os.times()
    used = (after.children_user + after.children_system) - (before.children_user + before.children_system)
    return wall, used


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print("| model | steps | checkpoints | CPU s without | with | each costs, CPU | wall | share by default, CPU | wall |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[2:] or CASES:
            task, steps, every = CASES[name]
            written = (steps - 1) // every
            rows = []
            for _ in range(rounds):
                without, checkpointed = seconds(task, steps, 10 * steps, folder), seconds(task, steps, every, folder)
                rows.append((*without, *checkpointed))
            wall, cpu, wall_with, cpu_with = (statistics.median(column) for column in zip(*rows))
            cost_wall = statistics.median((row[2] - row[0]) / written for row in rows)
            cost_cpu = statistics.median((row[3] - row[1]) / written for row in rows)
            print(
                f"| {name} | {steps} | {written} | {cpu:.2f} | {cpu_with:.2f} | {1000 * cost_cpu:.0f} ms "
                f"| {1000 * cost_wall:.0f} ms | {100 * cost_cpu / PERIOD:.2f}% | {100 * cost_wall / PERIOD:.2f}% |",
                flush=True,
            )


main()
