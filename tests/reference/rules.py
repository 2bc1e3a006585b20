"""Plain numpy transcriptions of every update rule: the formulas, and nothing else.

These lines are the specification which the Rust code follows. `trajectories.py` asserts that each
agrees with the named package to 1e-12, so the formula text can be trusted where a package is hard
to read, and replaces a package where that one departs from its paper.

A rule for one tensor is a function `rule(p, g, s, t, lr, h)` that returns the new tensor:
p parameter, g gradient, s its state (a dict), t = 1, 2, ... the number of this update, lr the
rate of this update, h the settings with defaults filled in. Rules which couple tensors are
classes at the end of the file.
"""

from types import SimpleNamespace

import numpy as np

ADAM = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0}

DEFAULTS = {
    "sgd": {
        "lr": 0.01,
        "momentum": 0.0,
        "dampening": 0.0,
        "nesterov": False,
        "weight_decay": 0.0,
        "decay": "l2",
    },
    "adam": {"lr": 1e-3, **ADAM, "amsgrad": False, "decay": "l2"},
    "adamw": {"lr": 1e-3, **ADAM, "weight_decay": 0.01, "amsgrad": False},
    "nadam": {"lr": 2e-3, **ADAM, "momentum_decay": 4e-3, "decay": "l2"},
    "adamax": {"lr": 2e-3, **ADAM},
    "adagrad": {
        "lr": 0.01,
        "lr_decay": 0.0,
        "initial_accumulator_value": 0.0,
        "eps": 1e-10,
        "weight_decay": 0.0,
    },
    "adadelta": {"lr": 1.0, "rho": 0.9, "eps": 1e-6, "weight_decay": 0.0},
    "rmsprop": {
        "lr": 0.01,
        "alpha": 0.99,
        "eps": 1e-8,
        "momentum": 0.0,
        "centered": False,
        "weight_decay": 0.0,
    },
    "radam": {"lr": 1e-3, **ADAM, "variant": "torch", "decay": "l2", "degenerate_to_sgd": False},
    "adam_2k": {"lr": 1e-3, **ADAM, "freeze_steps": 2000},
    "adafactor": {
        "lr": 0.01,
        "beta2_decay": -0.8,
        "eps1": None,
        "eps2": 1e-3,
        "d": 1.0,
        "weight_decay": 0.0,
    },
    "lion": {"lr": 1e-4, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.0},
    "adan": {
        "lr": 1e-3,
        "beta1": 0.98,
        "beta2": 0.92,
        "beta3": 0.99,
        "eps": 1e-8,
        "weight_decay": 0.0,
        "no_prox": False,
    },
    "ademamix": {
        "lr": 1e-3,
        **ADAM,
        "beta3": 0.9999,
        "alpha": 5.0,
        "alpha_warmup": 0,
        "beta3_warmup": 0,
    },
    "adopt": {
        "lr": 1e-3,
        "beta1": 0.9,
        "beta2": 0.9999,
        "eps": 1e-6,
        "clip": True,
        "weight_decay": 0.0,
        "decay": "l2",
    },
    "lamb": {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-6, "weight_decay": 0.0},
    "adabelief": {"lr": 1e-3, **ADAM, "eps": 1e-16, "amsgrad": False, "decay": "decoupled"},
    "mars": {
        "lr": 3e-3,
        "beta1": 0.95,
        "beta2": 0.99,
        "eps": 1e-8,
        "gamma": 0.025,
        "weight_decay": 0.0,
        "variant": "adamw",
        "optimize_1d": False,
        "lr_1d": 3e-3,
        "beta1_1d": 0.9,
        "beta2_1d": 0.95,
        "weight_decay_1d": 0.1,
    },
    "muon": {
        "lr": 0.02,
        "momentum": 0.95,
        "nesterov": True,
        "ns_steps": 5,
        "eps": 1e-7,
        "adjust_lr": "original",
        "weight_decay": 0.0,
        "adamw_lr": 3e-4,
        "adamw_beta1": 0.9,
        "adamw_beta2": 0.95,
        "adamw_eps": 1e-10,
    },
    "soap": {
        "lr": 3e-3,
        "beta1": 0.95,
        "beta2": 0.95,
        "shampoo_beta": None,
        "eps": 1e-8,
        "weight_decay": 0.01,
        "precondition_frequency": 10,
        "max_precondition_dim": 10000,
        "correct_bias": True,
    },
    "prodigy": {
        "lr": 1.0,
        **ADAM,
        "beta3": None,
        "d0": 1e-6,
        "d_coef": 1.0,
        "growth_rate": float("inf"),
        "bias_correction": False,
        "safeguard_warmup": False,
    },
    "schedule_free_sgd": {
        "lr": 1.0,
        "beta": 0.9,
        "weight_decay": 0.0,
        "warmup": 0,
        "r": 0.0,
        "weight_lr_power": 2.0,
    },
    "schedule_free_adamw": {
        "lr": 2.5e-3,
        "beta": 0.9,
        "beta2": 0.999,
        "eps": 1e-8,
        "weight_decay": 0.0,
        "warmup": 0,
        "r": 0.0,
        "weight_lr_power": 2.0,
    },
    "schedule_free_radam": {
        "lr": 2.5e-3,
        "beta": 0.9,
        "beta2": 0.999,
        "eps": 1e-8,
        "weight_decay": 0.0,
        "silent_sgd_phase": True,
        "r": 0.0,
        "weight_lr_power": 2.0,
    },
    "schedule_free": {
        "lr": 1e-3,
        "base": {"kind": "sgd"},
        "beta": 0.9,
        "weight_decay": 0.0,
        "r": 0.0,
        "weight_lr_power": 2.0,
    },
}


def with_defaults(kind, settings):
    """Settings as attributes, defaults filled in; an unknown key is an error, as in Rust."""
    unknown = {k for k in settings if not k.startswith("_")} - set(DEFAULTS[kind])
    assert not unknown, f"{kind}: unknown keys {unknown}"
    return SimpleNamespace(**{**DEFAULTS[kind], **settings})


def ema(s, name, value, beta):
    """s[name] = beta s[name] + (1 - beta) value, from zero."""
    s[name] = beta * s.get(name, 0.0) + (1 - beta) * value
    return s[name]


def shrink(p, lr, h):
    """Decoupled weight decay, always before the step."""
    return p * (1 - lr * h.weight_decay)


def decayed(p, g, lr, h):
    """Parameter and gradient after weight decay of either kind."""
    if h.decay == "l2":
        return p, g + h.weight_decay * p
    return shrink(p, lr, h), g


def sgd(p, g, s, t, lr, h):
    """The first momentum buffer is the gradient itself, undampened."""
    p, g = decayed(p, g, lr, h)
    if h.momentum != 0:
        s["buf"] = g if t == 1 else h.momentum * s["buf"] + (1 - h.dampening) * g
        g = g + h.momentum * s["buf"] if h.nesterov else s["buf"]
    return p - lr * g


def adam_step(p, g, s, t, lr, h):
    """Adam after weight decay has been dealt with."""
    m, v = ema(s, "m", g, h.beta1), ema(s, "v", g * g, h.beta2)
    if getattr(h, "amsgrad", False):
        v = s["v_max"] = np.maximum(s.get("v_max", 0.0), v)
    return p - lr / (1 - h.beta1**t) * m / (np.sqrt(v) / np.sqrt(1 - h.beta2**t) + h.eps)


def adam(p, g, s, t, lr, h):
    p, g = decayed(p, g, lr, h)
    return adam_step(p, g, s, t, lr, h)


def adamw(p, g, s, t, lr, h):
    return adam_step(shrink(p, lr, h), g, s, t, lr, h)


def nadam(p, g, s, t, lr, h):
    """0.96 is the paper's constant; the product of the mu_t replaces beta1^t."""
    p, g = decayed(p, g, lr, h)
    mu = h.beta1 * (1 - 0.5 * 0.96 ** (t * h.momentum_decay))
    mu_next = h.beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * h.momentum_decay))
    product = s["mu_product"] = s.get("mu_product", 1.0) * mu
    m, v = ema(s, "m", g, h.beta1), ema(s, "v", g * g, h.beta2)
    direction = (1 - mu) / (1 - product) * g + mu_next / (1 - product * mu_next) * m
    return p - lr * direction / (np.sqrt(v / (1 - h.beta2**t)) + h.eps)


def adamax(p, g, s, t, lr, h):
    """eps is added to |g|, inside the maximum."""
    g = g + h.weight_decay * p
    m = ema(s, "m", g, h.beta1)
    u = s["u"] = np.maximum(h.beta2 * s.get("u", 0.0), np.abs(g) + h.eps)
    return p - lr / (1 - h.beta1**t) * m / u


def adagrad(p, g, s, t, lr, h):
    g = g + h.weight_decay * p
    s["sum"] = s.get("sum", h.initial_accumulator_value) + g * g
    return p - lr / (1 + (t - 1) * h.lr_decay) * g / (np.sqrt(s["sum"]) + h.eps)


def adadelta(p, g, s, t, lr, h):
    g = g + h.weight_decay * p
    v = ema(s, "v", g * g, h.rho)
    delta = np.sqrt(s.get("u", 0.0) + h.eps) / np.sqrt(v + h.eps) * g
    ema(s, "u", delta * delta, h.rho)
    return p - lr * delta


def rmsprop(p, g, s, t, lr, h):
    g = g + h.weight_decay * p
    v = ema(s, "v", g * g, h.alpha)
    if h.centered:
        v = v - ema(s, "mean", g, h.alpha) ** 2
    step = g / (np.sqrt(v) + h.eps)
    if h.momentum > 0:
        step = s["buf"] = h.momentum * s.get("buf", 0.0) + step
    return p - lr * step


def sma_length(beta2, t):
    """rho_inf and rho_t: the length of the simple average which the second moment amounts to."""
    rho_inf = 2 / (1 - beta2) - 1
    return rho_inf, rho_inf - 2 * t * beta2**t / (1 - beta2**t)


def rectifier(rho_inf, rho):
    """RAdam's variance rectification; defined for rho > 4."""
    return np.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))


def radam(p, g, s, t, lr, h):
    """torch: SGD with momentum until rho > 5. author: nothing (or SGD) until rho >= 5."""
    rho_inf, rho = sma_length(h.beta2, t)
    author = h.variant == "author"
    if not author:
        p, g = decayed(p, g, lr, h)
    m, v = ema(s, "m", g, h.beta1), ema(s, "v", g * g, h.beta2)
    m_hat = m / (1 - h.beta1**t)
    if rho >= 5 if author else rho > 5:
        p = shrink(p, lr, h) if author else p
        return p - lr * m_hat * rectifier(rho_inf, rho) * np.sqrt(1 - h.beta2**t) / (
            np.sqrt(v) + h.eps
        )
    if author and not h.degenerate_to_sgd:
        return p
    return (shrink(p, lr, h) if author else p) - lr * m_hat


def adam_2k(p, g, s, t, lr, h):
    """While frozen only v moves; t in the corrections counts from the very first update."""
    v = ema(s, "v", g * g, h.beta2)
    if t <= h.freeze_steps:
        return p
    m = ema(s, "m", g, h.beta1)
    return shrink(p, lr, h) - lr * np.sqrt(1 - h.beta2**t) / (1 - h.beta1**t) * m / (
        np.sqrt(v) + h.eps
    )


def rms(a):
    return np.sqrt(np.mean(a * a))


def adafactor(p, g, s, t, lr, h):
    """The step is relative to the size of the parameter, measured before weight decay."""
    eps1 = np.finfo(p.dtype).eps if h.eps1 is None else h.eps1
    keep = 1 - t**h.beta2_decay
    alpha = max(h.eps2, rms(p)) * min(lr, 1 / np.sqrt(t))
    p = shrink(p, lr, h)
    if g.ndim > 1:
        row = ema(s, "row", np.mean(g * g, axis=-1, keepdims=True), keep)
        col = ema(s, "col", np.mean(g * g, axis=-2, keepdims=True), keep)
        v = row * col / np.maximum(np.mean(row, axis=-2, keepdims=True), eps1)
    else:
        v = ema(s, "v", g * g, keep)
    update = g / np.sqrt(np.maximum(v, eps1 * eps1))
    return p - alpha / max(1.0, rms(update) / h.d) * update


def lion(p, g, s, t, lr, h):
    m = s.get("m", np.zeros_like(p))
    s["m"] = h.beta2 * m + (1 - h.beta2) * g
    return shrink(p, lr, h) - lr * np.sign(h.beta1 * m + (1 - h.beta1) * g)


def adan(p, g, s, t, lr, h):
    """The betas weigh the past (the paper's are 1 minus these); the first difference is zero."""
    diff = g - s.get("previous", g)
    s["previous"] = g
    m, d = ema(s, "m", g, h.beta1), ema(s, "d", diff, h.beta2)
    n = ema(s, "n", (g + h.beta2 * diff) ** 2, h.beta3)
    denominator = np.sqrt(n) / np.sqrt(1 - h.beta3**t) + h.eps
    step = lr * (m / (1 - h.beta1**t) + h.beta2 * d / (1 - h.beta2**t)) / denominator
    return shrink(p, lr, h) - step if h.no_prox else (p - step) / (1 + lr * h.weight_decay)


def slow_beta(t, h):
    """AdEMAMix's beta3: its half-life grows linearly from that of beta1."""
    if t >= h.beta3_warmup:
        return h.beta3
    a = t / h.beta3_warmup
    return np.exp(1 / ((1 - a) / np.log(h.beta1) + a / np.log(h.beta3)))


def ademamix(p, g, s, t, lr, h):
    """The slow average has no bias correction."""
    alpha = h.alpha * min(1.0, t / h.alpha_warmup) if h.alpha_warmup else h.alpha
    fast, v = ema(s, "fast", g, h.beta1), ema(s, "v", g * g, h.beta2)
    slow = ema(s, "slow", g, slow_beta(t, h))
    denominator = np.sqrt(v) / np.sqrt(1 - h.beta2**t) + h.eps
    return shrink(p, lr, h) - lr * (fast / (1 - h.beta1**t) + alpha * slow) / denominator


def adopt(p, g, s, t, lr, h):
    """The first gradient only fills the second moment: no move and no decoupled decay."""
    if h.decay == "l2":
        g = g + h.weight_decay * p
    if t == 1:
        s["v"] = g * g
        return p
    if h.decay == "decoupled":
        p = shrink(p, lr, h)
    normed = g / np.maximum(np.sqrt(s["v"]), h.eps)
    if h.clip:
        bound = (t - 1) ** 0.25
        normed = np.clip(normed, -bound, bound)
    m = ema(s, "m", normed, h.beta1)
    ema(s, "v", g * g, h.beta2)
    return p - lr * m


def lamb(p, g, s, t, lr, h):
    """The trust ratio takes the weight decay into the norm of the update."""
    m, v = ema(s, "m", g, h.beta1), ema(s, "v", g * g, h.beta2)
    update = m / (1 - h.beta1**t) / (np.sqrt(v / (1 - h.beta2**t)) + h.eps) + h.weight_decay * p
    size, length = np.linalg.norm(p), np.linalg.norm(update)
    trust = size / length if size > 0 and length > 0 else 1.0
    return p - lr * trust * update


def adabelief(p, g, s, t, lr, h):
    """eps is added to the variance at every step, and stays in it, and again to the denominator."""
    p, g = decayed(p, g, lr, h)
    m = ema(s, "m", g, h.beta1)
    v = s["v"] = h.beta2 * s.get("v", 0.0) + (1 - h.beta2) * (g - m) ** 2 + h.eps
    if h.amsgrad:
        v = s["v_max"] = np.maximum(s.get("v_max", 0.0), v)
    return p - lr / (1 - h.beta1**t) * m / (np.sqrt(v) / np.sqrt(1 - h.beta2**t) + h.eps)


def mars_denominator(v, t, beta2, h):
    """`_package_eps` is pytorch_optimizer's dialect: it lets the rest be checked against it."""
    correction = np.sqrt(1 - beta2**t)
    if getattr(h, "_package_eps", False):
        return (np.sqrt(v + 1e-15) + h.eps) / correction
    return np.sqrt(v) / correction + h.eps


def mars(p, g, s, t, lr, h):
    """Vectors get AdamW with keys of their own unless optimize_1d; lr_1d is scheduled like lr."""
    corrected = h.optimize_1d or p.ndim >= 2
    if corrected:
        beta1, beta2, decay = h.beta1, h.beta2, h.weight_decay
        c = g + h.gamma * beta1 / (1 - beta1) * (g - s.get("previous", 0.0))
        s["previous"] = g
        c = c / max(1.0, np.linalg.norm(c))
    else:
        beta1, beta2, decay = h.beta1_1d, h.beta2_1d, h.weight_decay_1d
        lr, c = lr * h.lr_1d / h.lr, g
    m = ema(s, "m", c, beta1)
    if corrected and h.variant == "lion":
        return p - lr * (decay * p + np.sign(m))
    v = ema(s, "v", c * c, beta2)
    return p - lr * (decay * p + m / (1 - beta1**t) / mars_denominator(v, t, beta2, h))


def newton_schulz(a, steps, eps):
    """Quintic steps towards the nearest orthogonal matrix, with the smaller Gram matrix."""
    x = (a.T if a.shape[0] > a.shape[1] else a) / max(np.linalg.norm(a), eps)
    for _ in range(steps):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x.T if a.shape[0] > a.shape[1] else x


def muon(p, g, s, t, lr, h):
    """Matrices are orthogonalised; all else takes AdamW, whose rate follows the schedule of lr."""
    if p.ndim != 2:
        aux = SimpleNamespace(beta1=h.adamw_beta1, beta2=h.adamw_beta2, eps=h.adamw_eps)
        lr = lr * h.adamw_lr / h.lr
        return adam_step(shrink(p, lr, h), g, s, t, lr, aux)
    buf = ema(s, "buf", g, h.momentum)
    update = (1 - h.momentum) * g + h.momentum * buf if h.nesterov else buf
    rows, cols = p.shape
    scale = {
        "original": np.sqrt(max(1.0, rows / cols)),
        "match_rms_adamw": 0.2 * np.sqrt(max(rows, cols)),
        "spectral_unclamped": np.sqrt(rows / cols),
    }[h.adjust_lr]
    return shrink(p, lr, h) - lr * scale * newton_schulz(update, h.ns_steps, h.eps)


def soap_sides(p, h):
    """The axes that get an eigenbasis: those of a matrix, unless too long; none of a vector."""
    return [
        axis for axis in range(p.ndim) if p.ndim == 2 and p.shape[axis] <= h.max_precondition_dim
    ]


def soap_rotate(a, bases, back=False):
    """Q_L^T a Q_R, or Q_L a Q_R^T, leaving out a side that has no basis."""
    for axis, q in bases.items():
        q = q.T if back else q
        a = q.T @ a if axis == 0 else a @ q
    return a


def soap(p, g, s, t, lr, h):
    """The first gradient only builds the bases. Column signs cancel: any eigen or QR will do."""
    beta = h.beta2 if h.shampoo_beta is None else h.shampoo_beta
    outer = {axis: g @ g.T if axis == 0 else g.T @ g for axis in soap_sides(p, h)}
    if t == 1:
        s["gram"] = {axis: (1 - beta) * product for axis, product in outer.items()}
        s["bases"] = {axis: np.linalg.eigh(gram)[1][:, ::-1] for axis, gram in s["gram"].items()}
        return p
    k = t - 1
    m = ema(s, "m", g, h.beta1)
    v = ema(s, "v", soap_rotate(g, s["bases"]) ** 2, h.beta2)
    update = soap_rotate(soap_rotate(m, s["bases"]) / (np.sqrt(v) + h.eps), s["bases"], back=True)
    correction = np.sqrt(1 - h.beta2**k) / (1 - h.beta1**k) if h.correct_bias else 1.0
    p = (p - lr * correction * update) * (1 - lr * h.weight_decay)
    for axis, product in outer.items():
        gram = ema(s["gram"], axis, product, beta)
        if k % h.precondition_frequency == 0:
            q = s["bases"][axis]
            order = np.argsort(-np.einsum("ij,ij->j", q, gram @ q), kind="stable")
            s["v"] = np.take(s["v"], order, axis=axis)
            s["bases"][axis] = np.linalg.qr((gram @ q)[:, order])[0]
    return p


class PerTensor:
    """Runs a rule that sees one tensor at a time."""

    def __init__(self, rule, h, params):
        self.rule, self.h, self.t = rule, h, 0
        self.params = [p.copy() for p in params]
        self.state = [{} for _ in params]

    def step(self, grads, lr):
        self.t += 1
        self.params = [
            self.rule(p, g, s, self.t, lr, self.h)
            for p, g, s in zip(self.params, grads, self.state)
        ]

    def train_point(self):
        return self.params

    def eval_point(self):
        return None


class Prodigy(PerTensor):
    """Adam scaled by d, an estimate of the distance to the solution, shared by all tensors."""

    def __init__(self, h, params):
        super().__init__(None, h, params)
        self.d = self.d_max = h.d0
        self.numerator = 0.0

    def step(self, grads, lr):
        h, d = self.h, self.d
        if self.t == 0:
            # Within Schedule-Free, this is after the decay at y.
            self.start = [p.copy() for p in self.params]
        self.t += 1
        beta3 = np.sqrt(h.beta2) if h.beta3 is None else h.beta3
        rate = d * lr
        if h.bias_correction:
            rate *= np.sqrt(1 - h.beta2**self.t) / (1 - h.beta1**self.t)
        self.numerator *= beta3
        denominator = 0.0
        for p, p0, g, s in zip(self.params, self.start, grads, self.state):
            self.numerator += d / h.d0 * rate * np.sum(g * (p0 - p))
            ema(s, "m", d * g, h.beta1)
            ema(s, "v", (d * g) ** 2, h.beta2)
            s["s"] = beta3 * s.get("s", 0.0) + d / h.d0 * (d if h.safeguard_warmup else rate) * g
            denominator += np.sum(np.abs(s["s"]))
        if denominator == 0:
            return
        d_hat = h.d_coef * self.numerator / denominator
        if d == h.d0:
            d = max(d, d_hat)
        self.d_max = max(self.d_max, d_hat)
        self.d = d = min(self.d_max, d * h.growth_rate)
        self.params = [
            p * (1 - rate * h.weight_decay) - rate * s["m"] / (np.sqrt(s["v"]) + d * h.eps)
            for p, s in zip(self.params, self.state)
        ]


class ScheduleFree:
    """z takes the steps, x averages z, gradients are taken at y between them."""

    def __init__(self, kind, h, params):
        self.kind, self.h, self.t = kind, h, 0
        self.x, self.y, self.z = ([p.copy() for p in params] for _ in range(3))
        self.v = [np.zeros_like(p) for p in params]
        self.lr_max = self.weight_sum = 0.0

    def factor(self):
        """Warmup, or RAdam's rectifier with threshold 4."""
        if self.kind != "schedule_free_radam":
            return min(1.0, self.t / self.h.warmup) if self.h.warmup else 1.0
        rho_inf, rho = sma_length(self.h.beta2, self.t)
        return rectifier(rho_inf, rho) if rho > 4 else float(not self.h.silent_sgd_phase)

    def directions(self, grads):
        """SGD's, Adam's without first moment, or RAdam's, which starts as SGD's."""
        if self.kind == "schedule_free_sgd":
            return grads
        beta2, t = self.h.beta2, self.t
        self.v = [beta2 * v + (1 - beta2) * g * g for v, g in zip(self.v, grads)]
        if self.kind == "schedule_free_radam" and sma_length(beta2, t)[1] <= 4:
            return grads
        return [g / (np.sqrt(v / (1 - beta2**t)) + self.h.eps) for v, g in zip(self.v, grads)]

    def move(self, grads, gamma):
        """The step of z, weight decay taken at y."""
        decay = self.h.weight_decay
        return [
            z - gamma * (d + decay * y) for z, d, y in zip(self.z, self.directions(grads), self.y)
        ]

    def own_factor(self):
        """What a base multiplies the rate by of its own accord, after its step."""
        return 1.0

    def step(self, grads, lr):
        h = self.h
        self.t += 1
        gamma = lr * self.factor()
        self.z = self.move(grads, gamma)
        self.lr_max = max(self.lr_max, gamma * self.own_factor())
        weight = self.t**h.r * self.lr_max**h.weight_lr_power
        self.weight_sum += weight
        c = weight / self.weight_sum if self.weight_sum > 0 else 0.0
        self.x = [(1 - c) * x + c * z for x, z in zip(self.x, self.z)]
        self.y = [h.beta * x + (1 - h.beta) * z for x, z in zip(self.x, self.z)]

    def train_point(self):
        return self.y

    def eval_point(self):
        return self.x


class ScheduleFreeWrapper(ScheduleFree):
    """Any base rule takes the step of z; its own weight decay acts at z, the wrapper's at y."""

    def __init__(self, h, params):
        super().__init__("schedule_free", h, params)
        self.base = make(
            h.base["kind"], {**{k: v for k, v in h.base.items() if k != "kind"}, "lr": h.lr}, params
        )

    def factor(self):
        return 1.0

    def own_factor(self):
        return self.base.d if isinstance(self.base, Prodigy) else 1.0

    def move(self, grads, gamma):
        self.base.params = [z - gamma * self.h.weight_decay * y for z, y in zip(self.z, self.y)]
        self.base.step(grads, gamma)
        return self.base.params


# What `families` adds: a rule of one tensor, or a class of (h, params).
RULES = {}


def make(kind, settings, params):
    """The transcription of a kind, ready to step."""
    h = with_defaults(kind, settings)
    if kind in RULES:
        rule = RULES[kind]
        return rule(h, params) if isinstance(rule, type) else PerTensor(rule, h, params)
    if kind == "prodigy":
        return Prodigy(h, params)
    if kind == "schedule_free":
        return ScheduleFreeWrapper(h, params)
    if kind.startswith("schedule_free_"):
        return ScheduleFree(kind, h, params)
    return PerTensor(globals()[kind], h, params)
