"""The problems on which optimizers are compared, and the one driver that runs any of them.

Both sides read `problems.json`: the Python references here and the Rust tests. The numbers are
stored in full so that neither side has to reproduce the other's random generator.

Run `python problems.py` to write `problems.json` again.
"""

import json
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent
LAYERS = [6, 8, 5, 3]
BATCH = 16

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def make_problems():
    """All problems as plain data."""
    rng = np.random.default_rng(324)
    weights, shapes = [], []
    for i, (fan_in, fan_out) in enumerate(zip(LAYERS, LAYERS[1:]), start=1):
        weights.append(rng.normal(0.0, (2.0 / fan_in) ** 0.5, (fan_out, fan_in)))
        weights.append(rng.normal(0.0, 0.1, fan_out))
        shapes.append({"name": f"fc{i}.weight", "shape": [fan_out, fan_in]})
        shapes.append({"name": f"fc{i}.bias", "shape": [fan_out]})
    return {
        "quadratic": {
            "about": "f = 1/2 sum c_i x_i^2",
            "parameters": [{"name": "x", "shape": [4]}],
            "curvature": [1.0, 4.0, 0.1, 9.0],
            "start": [1.0, -2.0, 3.0, 0.5],
        },
        "rosenbrock": {
            "about": "f = (1-x)^2 + 100 (y-x^2)^2",
            "parameters": [{"name": "x", "shape": [2]}],
            "start": [-1.2, 1.0],
        },
        "matrix": {
            "about": "f = 1/2 sum c_i (w_i - target_i)^2, w row-major; for matrix rules",
            "parameters": [{"name": "w", "shape": [3, 4]}],
            "curvature": [1.0, 2.0, 0.5, 3.0, 0.7, 1.5, 4.0, 0.3, 2.5, 0.9, 1.2, 5.0],
            "target": rng.normal(0.0, 1.0, 12).tolist(),
            "start": rng.normal(0.0, 1.0, 12).tolist(),
        },
        "mlp": {
            "about": "6-8-5-3, ReLU, mean cross-entropy, one fixed batch; weights [out, in]",
            "parameters": shapes,
            "inputs": rng.normal(0.0, 1.0, (BATCH, LAYERS[0])).tolist(),
            "labels": rng.integers(0, LAYERS[-1], BATCH).tolist(),
            "start": np.concatenate([w.ravel() for w in weights]).tolist(),
        },
    }


def split(flat, problem):
    """The flat vector as one array per parameter."""
    arrays, at = [], 0
    for parameter in problem["parameters"]:
        size = int(np.prod(parameter["shape"]))
        arrays.append(np.array(flat[at : at + size], dtype=np.float64).reshape(parameter["shape"]))
        at += size
    return arrays


def hidden_layers(params, problem):
    """Pre-activations of the hidden layers and the logits of the MLP."""
    signal, before_relu = torch.tensor(problem["inputs"]), []
    for weight, bias in zip(params[0::2], params[1::2]):
        before_relu.append(signal @ weight.T + bias)
        signal = torch.relu(before_relu[-1])
    return before_relu[:-1], before_relu[-1]


def loss(name, params, problem):
    """The objective, as a torch scalar."""
    if name == "rosenbrock":
        x, y = params[0]
        return (1 - x) ** 2 + 100 * (y - x**2) ** 2
    if name == "mlp":
        _, logits = hidden_layers(params, problem)
        return torch.nn.functional.cross_entropy(logits, torch.tensor(problem["labels"]))
    target = torch.tensor(problem.get("target", 0.0))
    return 0.5 * (torch.tensor(problem["curvature"]) * (params[0].flatten() - target) ** 2).sum()


def gradients(name, arrays, problem):
    """Loss and gradients at the given numpy arrays."""
    params = [torch.tensor(a, requires_grad=True) for a in arrays]
    value = loss(name, params, problem)
    return value.item(), [g.numpy() for g in torch.autograd.grad(value, params)]


def check_mlp(problem):
    """A dead unit or a pre-activation at the kink would make the comparison vacuous or unstable."""
    hidden, _ = hidden_layers([torch.tensor(a) for a in split(problem["start"], problem)], problem)
    for layer in hidden:
        assert (layer > 0).any(dim=0).all(), "a unit is dead on the whole batch"
        assert layer.abs().min() > 1e-3, "a pre-activation sits at the kink"


def load():
    """The problems as both sides see them."""
    return json.loads((HERE / "problems.json").read_text())


def main():
    """Write problems.json."""
    problems = make_problems()
    check_mlp(problems["mlp"])
    (HERE / "problems.json").write_text(
        json.dumps(problems, indent=None).replace('}, "', '},\n"') + "\n"
    )
    print("problems.json written:", ", ".join(problems))


if __name__ == "__main__":
    main()
