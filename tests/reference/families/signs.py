"""Rules that read the signs of gradients: signSGD, Signum, Rprop."""

import numpy as np
import optax
import torch

from cases import WARM, M, Q, R
from references import OptaxRun, TorchRun, named
from rules import ema, shrink

DEFAULTS = {
    "signsgd": {"lr": 1e-4, "weight_decay": 0.0},
    "signum": {"lr": 1e-4, "momentum": 0.9, "weight_decay": 0.0},
    "rprop": {"lr": 0.01, "eta_minus": 0.5, "eta_plus": 1.2, "step_min": 1e-6, "step_max": 50.0},
}


def signsgd(p, g, s, t, lr, h):
    return shrink(p, lr, h) - lr * np.sign(g)


def signum(p, g, s, t, lr, h):
    return shrink(p, lr, h) - lr * np.sign(ema(s, "m", g, h.momentum))


def rprop(p, g, s, t, lr, h):
    """Sizes start from the setting; a schedule scales the steps."""
    agreement = g * s.get("previous", np.zeros_like(g))
    size = s.get("size", np.full_like(p, h.lr))
    change = np.where(agreement > 0, h.eta_plus, np.where(agreement < 0, h.eta_minus, 1.0))
    size = s["size"] = np.clip(size * change, h.step_min, h.step_max)
    g = s["previous"] = np.where(agreement < 0, 0.0, g)
    return p - lr / h.lr * size * np.sign(g)


def decaying(rule):
    """An optax rule with decoupled decay after it."""
    return lambda lr, h: optax.chain(
        rule(h), optax.add_decayed_weights(h.weight_decay), optax.scale_by_learning_rate(lr)
    )


def build_signsgd(h, params):
    sign = decaying(lambda h: optax.scale_by_sign())
    return OptaxRun(params, lambda lr: sign(lr, h))


def build_signum(h, params):
    sign = decaying(
        lambda h: optax.chain(optax.ema(h.momentum, debias=False), optax.scale_by_sign())
    )
    return OptaxRun(params, lambda lr: sign(lr, h))


def build_rprop(h, params):
    """The schedule's factor is put on the step, which torch takes at full size."""

    def remember(run, lr):
        run.factor = lr / h.lr
        run.old = [p.detach().clone() for p in run.params]

    def scale(run):
        with torch.no_grad():
            for p, old in zip(run.params, run.old):
                if run.factor != 1.0:
                    p.copy_(old + run.factor * (p - old))

    def make(ps):
        etas, sizes = (h.eta_minus, h.eta_plus), (h.step_min, h.step_max)
        optimizer = torch.optim.Rprop(ps, lr=h.lr, etas=etas, step_sizes=sizes)
        # Its sizes are made from the rate at the first step.
        optimizer.register_step_pre_hook(
            lambda o, *_: o.param_groups[0].update(lr=h.lr) if not o.state else None
        )
        return [optimizer]

    return TorchRun(params, make, before=remember, after=scale)


REFERENCE = {
    "signsgd": named("optax", "sign_sgd with add_decayed_weights"),
    "signum": named("optax", "signum with add_decayed_weights"),
    "rprop": named("torch", "Rprop, with the schedule's factor on its steps"),
}
RULES = {"signsgd": signsgd, "signum": signum, "rprop": rprop}
BUILDERS = {"signsgd": build_signsgd, "signum": build_signum, "rprop": build_rprop}
CASES = {
    "signsgd": [
        ("defaults", Q, {"lr": 1e-4}),
        ("decay", Q, {"lr": 0.013, "weight_decay": 0.3}),
        ("plain", R, {"lr": 7e-4}),
        ("decay", M, {"lr": 3e-3, "weight_decay": 0.1}, WARM),
    ],
    "signum": [
        ("defaults", Q, {"lr": 1e-4}),
        ("decay", Q, {"lr": 0.013, "momentum": 0.7, "weight_decay": 0.3}),
        ("momentum", R, {"lr": 7e-4, "momentum": 0.95}),
        ("decay", M, {"lr": 3e-3, "weight_decay": 0.1}, WARM),
    ],
    "rprop": [
        ("defaults", Q, {"lr": 0.01}),
        ("etas", Q, {"lr": 0.013, "eta_minus": 0.3, "eta_plus": 1.4, "step_max": 0.2}),
        ("least", R, {"lr": 3e-3, "step_min": 1e-3}),
        ("etas", M, {"lr": 3e-3, "eta_minus": 0.7, "eta_plus": 1.1, "step_max": 0.03}, WARM),
    ],
}
