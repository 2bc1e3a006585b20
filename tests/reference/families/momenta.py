"""Gradient descent with other momenta and averages: QHM, AggMo, ASGD."""

import pytorch_optimizer
import qhoptim.pyt
import torch

from cases import WARM, M, Q, R
from references import TorchRun, named
from rules import PerTensor, decayed, ema

DEFAULTS = {
    "qhm": {"lr": 1.0, "momentum": 0.999, "nu": 0.7, "weight_decay": 0.0, "decay": "l2"},
    "aggmo": {"lr": 0.1, "betas": [0.0, 0.9, 0.99], "weight_decay": 0.0, "decay": "l2"},
    "asgd": {"lr": 0.01, "lambd": 1e-4, "alpha": 0.75, "t0": 1_000_000, "weight_decay": 0.0},
}


def qhm(p, g, s, t, lr, h):
    p, g = decayed(p, g, lr, h)
    return p - lr * (h.nu * ema(s, "m", g, h.momentum) + (1 - h.nu) * g)


def aggmo(p, g, s, t, lr, h):
    p, g = decayed(p, g, lr, h)
    s["m"] = [beta * m + g for beta, m in zip(h.betas, s.get("m", [0.0] * len(h.betas)))]
    return p - lr / len(h.betas) * sum(s["m"])


def asgd(p, g, s, t, lr, h):
    """The mean starts to average t0 updates after the first."""
    g = g + h.weight_decay * p
    eta = lr / (1 + h.lambd * lr * (t - 1)) ** h.alpha
    p = p * (1 - h.lambd * eta) - eta * g
    mean = s.get("mean", p)
    s["mean"] = mean + (p - mean) / max(1, t - 1 - h.t0)
    return p


class Asgd(PerTensor):
    """Evaluated at the mean."""

    def __init__(self, h, params):
        super().__init__(asgd, h, params)

    def eval_point(self):
        return [s["mean"] for s in self.state]


class AsgdRun(TorchRun):
    def eval_point(self):
        return [self.optimizers[0].state[p]["ax"].numpy().copy() for p in self.params]


def build_qhm(h, params):
    return TorchRun(
        params,
        lambda ps: [
            qhoptim.pyt.QHM(
                ps,
                lr=h.lr,
                momentum=h.momentum,
                nu=h.nu,
                weight_decay=h.weight_decay,
                weight_decay_type="direct" if h.decay == "decoupled" else "grad",
            )
        ],
    )


def build_aggmo(h, params):
    return TorchRun(
        params,
        lambda ps: [
            pytorch_optimizer.AggMo(
                ps,
                lr=h.lr,
                betas=tuple(h.betas),
                weight_decay=h.weight_decay,
                weight_decouple=h.decay == "decoupled",
            )
        ],
    )


def build_asgd(h, params):
    """torch computes an update's eta from the rate of the update before; here from its own."""

    def eta(run, lr):
        for state in run.optimizers[0].state.values():
            state["eta"].fill_(lr / (1 + h.lambd * lr * state["step"].item()) ** h.alpha)

    def make(ps):
        return [
            torch.optim.ASGD(
                ps, lr=h.lr, lambd=h.lambd, alpha=h.alpha, t0=h.t0, weight_decay=h.weight_decay
            )
        ]

    return AsgdRun(params, make, before=eta)


REFERENCE = {
    "qhm": named("qhoptim", "QHM"),
    "aggmo": named("pytorch_optimizer", "AggMo"),
    "asgd": named("torch", "ASGD, with each update's eta from its own rate"),
}
RULES = {"qhm": qhm, "aggmo": aggmo, "asgd": Asgd}
BUILDERS = {"qhm": build_qhm, "aggmo": build_aggmo, "asgd": build_asgd}
CASES = {
    "qhm": [
        ("l2", Q, {"lr": 0.05, "weight_decay": 0.1, "momentum": 0.9}),
        ("decoupled", Q, {"lr": 0.1, "nu": 0.3, "weight_decay": 0.2, "decay": "decoupled"}),
        ("nu", R, {"lr": 5e-4, "momentum": 0.95, "nu": 0.85}),
        ("l2", M, {"lr": 0.1, "weight_decay": 0.05}, WARM),
        ("decoupled", M, {"lr": 0.1, "momentum": 0.8, "weight_decay": 0.1, "decay": "decoupled"}),
    ],
    "aggmo": [
        ("l2", Q, {"lr": 0.02, "weight_decay": 0.1}),
        ("two", Q, {"lr": 0.03, "betas": [0.5, 0.95], "weight_decay": 0.2, "decay": "decoupled"}),
        ("two", R, {"lr": 3e-4, "betas": [0.7, 0.3]}),
        ("five", M, {"lr": 5e-3, "betas": [0.0, 0.5, 0.8, 0.9, 0.97], "weight_decay": 0.05}, WARM),
    ],
    "asgd": [
        ("defaults", Q, {"lr": 0.01}),
        ("mean", Q, {"lr": 0.1, "t0": 20, "weight_decay": 0.1, "lambd": 0.02}),
        ("alpha", R, {"lr": 1e-3, "alpha": 0.5, "lambd": 3.0, "t0": 40}),
        ("mean", M, {"lr": 0.1, "t0": 10, "weight_decay": 0.05, "lambd": 0.01}, WARM),
    ],
}
