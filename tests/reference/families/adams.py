"""Relatives of Adam that treat every coordinate alike."""

import jax
import numpy as np
import optax
import qhoptim.pyt
import timm.optim

from cases import WARM, M, Q, R
from references import OptaxRun, TorchRun, betas, named
from rules import ADAM, adam_step, decayed, ema, shrink

DEFAULTS = {
    "nadamw": {"lr": 1e-3, **ADAM, "weight_decay": 0.01},
    "adamc": {"lr": 1e-3, **ADAM, "weight_decay": 0.01},
    "yogi": {"lr": 0.01, **ADAM, "eps": 1e-3, "initial_accumulator": 1e-6},
    "laprop": {"lr": 4e-4, **ADAM},
    "qhadam": {"lr": 1e-3, **ADAM, "nu1": 0.7, "nu2": 1.0, "decay": "l2"},
    "simplified_ademamix": {"lr": 1e-4, **ADAM, "beta1": 0.99, "beta2": 0.95, "alpha": 0.0},
}


def nadamw(p, g, s, t, lr, h):
    m, v = ema(s, "m", g, h.beta1), ema(s, "v", g * g, h.beta2)
    d = h.beta1 * m / (1 - h.beta1 ** (t + 1)) + (1 - h.beta1) * g / (1 - h.beta1**t)
    return shrink(p, lr, h) - lr * d / (np.sqrt(v / (1 - h.beta2**t)) + h.eps)


def adamc(p, g, s, t, lr, h):
    """The setting is the peak of the rate."""
    return adam_step(p * (1 - lr * lr / h.lr * h.weight_decay), g, s, t, lr, h)


def yogi(p, g, s, t, lr, h):
    m, v = ema(s, "m", g, h.beta1), s.get("v", h.initial_accumulator)
    v = s["v"] = v - (1 - h.beta2) * np.sign(v - g * g) * g * g
    denominator = np.sqrt(v / (1 - h.beta2**t)) + h.eps
    return shrink(p, lr, h) - lr * m / (1 - h.beta1**t) / denominator


def laprop(p, g, s, t, lr, h):
    """Each gradient goes into the momentum with the rate of its own update."""
    v = ema(s, "v", g * g, h.beta2)
    m = ema(s, "m", lr * g / (np.sqrt(v / (1 - h.beta2**t)) + h.eps), h.beta1)
    return shrink(p - lr * m / ema(s, "rate", lr, h.beta1), lr, h)


def qhadam(p, g, s, t, lr, h):
    p, g = decayed(p, g, lr, h)
    m = ema(s, "m", g, h.beta1) / (1 - h.beta1**t)
    v = ema(s, "v", g * g, h.beta2) / (1 - h.beta2**t)
    denominator = np.sqrt(h.nu2 * v + (1 - h.nu2) * g * g) + h.eps
    return p - lr * (h.nu1 * m + (1 - h.nu1) * g) / denominator


def simplified_ademamix(p, g, s, t, lr, h):
    m = s["m"] = h.beta1 * s.get("m", 0.0) + g
    v = ema(s, "v", g * g, h.beta2) / (1 - h.beta2**t)
    return shrink(p, lr, h) - lr * (m + h.alpha * g) / (np.sqrt(v) + h.eps)


def build_nadamw(h, params):
    keys = {"b1": h.beta1, "b2": h.beta2, "eps": h.eps, "weight_decay": h.weight_decay}
    return OptaxRun(params, lambda lr: optax.nadamw(lr, **keys))


def timm_run(optimizer):
    """An optimizer of timm, which takes foreach unless told not to."""

    def build(h, params):
        keys = {"betas": betas(h), "eps": h.eps, "weight_decay": h.weight_decay, "foreach": False}
        return TorchRun(params, lambda ps: [optimizer(ps, lr=h.lr, **keys)])

    return build


def corrected_adamw(ps, **keys):
    return timm.optim.AdamWLegacy(ps, corrected_weight_decay=True, **keys)


class YogiRun(OptaxRun):
    """The paper's first moment starts from 0; optax lets it start from the accumulator's value."""

    def __init__(self, h, params):
        def make(lr):
            return optax.chain(
                optax.scale_by_yogi(
                    h.beta1, h.beta2, h.eps, initial_accumulator_value=h.initial_accumulator
                ),
                optax.add_decayed_weights(h.weight_decay),
                optax.scale_by_learning_rate(lr),
            )

        super().__init__(params, make)
        zero = jax.tree.map(lambda mu: 0.0 * mu, self.state[0].mu)
        self.state = (self.state[0]._replace(mu=zero), *self.state[1:])


def build_qhadam(h, params):
    return TorchRun(
        params,
        lambda ps: [
            qhoptim.pyt.QHAdam(
                ps,
                lr=h.lr,
                betas=betas(h),
                nus=(h.nu1, h.nu2),
                eps=h.eps,
                weight_decay=h.weight_decay,
                decouple_weight_decay=h.decay == "decoupled",
            )
        ],
    )


def build_simplified_ademamix(h, params):
    keys = {"b1": h.beta1, "b2": h.beta2, "eps": h.eps, "weight_decay": h.weight_decay}
    make = optax.contrib.simplified_ademamix
    return OptaxRun(params, lambda lr: make(lr, alpha=h.alpha, **keys))


REFERENCE = {
    "nadamw": named("optax", "nadamw"),
    "adamc": named("timm", "AdamWLegacy(corrected_weight_decay=True)"),
    "yogi": named("optax", "yogi with its first moment started from 0, and add_decayed_weights"),
    "laprop": named("timm", "LaProp"),
    "qhadam": named("qhoptim", "QHAdam"),
    "simplified_ademamix": named("optax", "contrib.simplified_ademamix"),
}
RULES = {
    "nadamw": nadamw,
    "adamc": adamc,
    "yogi": yogi,
    "laprop": laprop,
    "qhadam": qhadam,
    "simplified_ademamix": simplified_ademamix,
}
BUILDERS = {
    "nadamw": build_nadamw,
    "adamc": timm_run(corrected_adamw),
    "yogi": YogiRun,
    "laprop": timm_run(timm.optim.LaProp),
    "qhadam": build_qhadam,
    "simplified_ademamix": build_simplified_ademamix,
}
CASES = {
    "nadamw": [
        ("defaults", Q, {"lr": 1e-3}),
        ("decay", Q, {"lr": 0.05, "beta1": 0.8, "weight_decay": 0.3}),
        ("betas", R, {"lr": 0.01, "beta2": 0.95, "eps": 1e-6}),
        ("decay", M, {"lr": 0.01, "weight_decay": 0.1, "beta1": 0.95, "beta2": 0.99}, WARM),
    ],
    "adamc": [
        ("defaults", Q, {"lr": 1e-3}),
        ("decay", Q, {"lr": 0.05, "beta1": 0.8, "weight_decay": 0.3}, WARM),
        ("betas", R, {"lr": 0.01, "beta2": 0.95, "eps": 1e-6}),
        ("decay", M, {"lr": 0.01, "weight_decay": 0.5, "beta1": 0.95, "beta2": 0.99}, WARM),
    ],
    "yogi": [
        ("defaults", Q, {"lr": 0.01}),
        ("decay", Q, {"lr": 0.05, "beta1": 0.8, "beta2": 0.95, "weight_decay": 0.2}),
        ("accumulator", R, {"lr": 0.01, "eps": 1e-5, "initial_accumulator": 0.1}),
        ("decay", M, {"lr": 0.01, "weight_decay": 0.1, "beta2": 0.99}, WARM),
    ],
    "laprop": [
        ("defaults", Q, {"lr": 4e-4}),
        ("decay", Q, {"lr": 0.03, "beta1": 0.8, "beta2": 0.95, "weight_decay": 0.2}, WARM),
        ("eps", R, {"lr": 5e-3, "beta1": 0.95, "eps": 1e-5}),
        ("decay", M, {"lr": 5e-3, "weight_decay": 0.1, "beta2": 0.99}, WARM),
    ],
    "qhadam": [
        ("defaults", Q, {"lr": 1e-3}),
        ("l2", Q, {"lr": 0.03, "nu1": 0.8, "nu2": 0.9, "beta1": 0.95, "weight_decay": 0.1}),
        ("betas", R, {"lr": 5e-3, "beta2": 0.95, "nu2": 0.5, "eps": 1e-6}),
        (
            "decoupled",
            M,
            {"lr": 0.01, "nu2": 0.95, "weight_decay": 0.1, "decay": "decoupled"},
            WARM,
        ),
    ],
    "simplified_ademamix": [
        ("defaults", Q, {"lr": 1e-4}),
        ("decay", Q, {"lr": 3e-3, "beta1": 0.9, "alpha": 2.0, "weight_decay": 0.2}),
        ("betas", R, {"lr": 5e-4, "beta1": 0.95, "beta2": 0.99, "alpha": 5.0, "eps": 1e-6}),
        ("decay", M, {"lr": 3e-4, "alpha": 10.0, "weight_decay": 0.5}, WARM),
    ],
}
