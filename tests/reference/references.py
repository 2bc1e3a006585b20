"""How each optimizer kind is run in the package that owns it.

`build(kind, settings, params)` gives an object with `step(grads, lr)`, `train_point()` and
`eval_point()`, the same face as the transcriptions in `rules.py`, so that one driver runs both.
`REFERENCE` names the authority of each kind.
"""

import contextlib
import io
from collections import defaultdict
from importlib.metadata import version

import jax
import numpy as np
import optax
import pytorch_optimizer
import pytorch_optimizer.optimizer.soap
import schedulefree
import timm
import torch
import torch.optim._muon

from rules import with_defaults

jax.config.update("jax_enable_x64", True)

VERSIONS = {
    "torch": torch.__version__.split("+")[0],
    "schedulefree": "1.4.1",
    "optax": optax.__version__,
    "pytorch_optimizer": "4.1.0",
    "timm": timm.__version__,
    "qhoptim": version("qhoptim"),
}


def named(package, what):
    return f"{package} {VERSIONS[package]} {what}"


REFERENCE = {
    "sgd": named("torch", 'SGD (decay = "decoupled": SGD after p *= 1 - lr wd)'),
    "adam": named("torch", 'Adam (decay = "decoupled": Adam with decoupled_weight_decay)'),
    "adamw": named("torch", "AdamW"),
    "nadam": named("torch", "NAdam"),
    "adamax": named("torch", "Adamax"),
    "adagrad": named("torch", "Adagrad"),
    "adadelta": named("torch", "Adadelta"),
    "rmsprop": named("torch", "RMSprop"),
    "radam": named(
        "torch",
        'RAdam for variant "torch"; transcription of radam.py of LiyuanLucasLiu/RAdam for "author"',
    ),
    "adam_2k": "transcription of nmt/my_module/adam2.py of LiyuanLucasLiu/RAdam",
    "adafactor": named("torch", "Adafactor"),
    "muon": named(
        "torch",
        "Muon with its bfloat16 replaced by float64, and AdamW for all that is not a matrix",
    ),
    "schedule_free_sgd": named("schedulefree", "SGDScheduleFree; for beta 0 a transcription"),
    "schedule_free_adamw": named("schedulefree", "AdamWScheduleFree; for beta 0 a transcription"),
    "schedule_free_radam": named("schedulefree", "RAdamScheduleFree"),
    "schedule_free": named("schedulefree", "ScheduleFreeWrapperReference")
    + " around torch's optimizers and pytorch_optimizer's Prodigy; for beta 0 a transcription",
    "lion": named("pytorch_optimizer", "Lion"),
    "adan": named("pytorch_optimizer", "Adan"),
    "ademamix": named("pytorch_optimizer", "AdEMAMix(weight_decouple=True)"),
    "adopt": named(
        "pytorch_optimizer",
        "ADOPT with the paper's clip (t-1)^(1/4) and no decay at the first step",
    ),
    "lamb": named("optax", "lamb"),
    "soap": named("pytorch_optimizer", "SOAP with its float32 QR replaced by float64"),
    "prodigy": named("pytorch_optimizer", "Prodigy"),
    "mars": "transcription of mars.py of AGI-Arena/MARS, checked against "
    + named("pytorch_optimizer", "MARS")
    + " but for the place of eps",
    "adabelief": named("pytorch_optimizer", "AdaBelief"),
}


class DoublePrecision:
    """A stand-in for the name `torch` inside one module: asked for a narrow type, it answers
    float64.

    torch.optim.Muon orthogonalises in bfloat16 and pytorch_optimizer's SOAP factorises in
    float32. The narrow type is an optimisation, not the algorithm; with it no f64 port could be
    compared beyond a few digits.
    """

    def __init__(self, narrow):
        self.narrow = narrow

    def __getattr__(self, name):
        return torch.float64 if name == self.narrow else getattr(torch, name)


@contextlib.contextmanager
def widened(module, narrow):
    """Run a module's code in float64 where it asks for the narrow type."""
    module.torch = DoublePrecision(narrow)
    try:
        yield
    finally:
        module.torch = torch


class TorchRun:
    """One or more torch optimizers over the same list of tensors."""

    def __init__(self, params, make, around=contextlib.nullcontext, before=None, after=None):
        self.params = [torch.nn.Parameter(torch.tensor(p)) for p in params]
        self.optimizers = make(self.params)
        self.rates = [
            o.param_groups[0]["lr"] / self.optimizers[0].param_groups[0]["lr"]
            for o in self.optimizers
        ]
        self.around, self.before, self.after = around, before, after

    def step(self, grads, lr):
        for p, g in zip(self.params, grads):
            p.grad = torch.tensor(g)
        for optimizer, ratio in zip(self.optimizers, self.rates):
            for group in optimizer.param_groups:
                group["lr"] = lr * ratio
        if self.before:
            self.before(self, lr)
        with self.around():
            for optimizer in self.optimizers:
                optimizer.step()
        if self.after:
            self.after(self)

    def values(self):
        return [p.detach().numpy().copy() for p in self.params]

    def train_point(self):
        return self.values()

    def eval_point(self):
        return None


class ScheduleFreeRun(TorchRun):
    """Reads x through the package's own eval mode, as a user would."""

    def __init__(self, params, make):
        super().__init__(params, make)
        self.optimizers[0].train()

    def eval_point(self):
        with contextlib.redirect_stdout(io.StringIO()):
            self.optimizers[0].eval()
            x = self.values()
            self.optimizers[0].train()
        return x


class SeparateState(schedulefree.ScheduleFreeWrapperReference):
    """Keeps x, y, z out of the base optimizer's state.

    Adam-like bases initialise themselves when their state is empty; the wrapper, which puts z
    there first, would stop them from doing so.
    """

    @property
    def state(self):
        self.__dict__.setdefault("own_state", defaultdict(dict))
        return self.own_state


class OptaxRun:
    """An optax transformation whose learning rate is handed in at each step."""

    def __init__(self, params, make):
        self.make, self.params = make, [jax.numpy.asarray(p) for p in params]
        self.state = make(1.0).init(self.params)

    def step(self, grads, lr):
        grads = [jax.numpy.asarray(g) for g in grads]
        updates, self.state = self.make(lr).update(grads, self.state, self.params)
        self.params = optax.apply_updates(self.params, updates)

    def train_point(self):
        return [np.asarray(p) for p in self.params]

    def eval_point(self):
        return None


def betas(h, *names):
    return tuple(getattr(h, name) for name in names or ("beta1", "beta2"))


def torch_kwargs(kind, h):
    """Our keys as the arguments of torch.optim's classes."""
    adam = {"betas": betas(h) if hasattr(h, "beta1") else None, "eps": getattr(h, "eps", None)}
    decoupled = {"decoupled_weight_decay": getattr(h, "decay", None) == "decoupled"}
    common = {"lr": h.lr, "weight_decay": h.weight_decay}
    own = {
        "sgd": lambda: {"momentum": h.momentum, "dampening": h.dampening, "nesterov": h.nesterov},
        "adam": lambda: {**adam, **decoupled, "amsgrad": h.amsgrad},
        "adamw": lambda: {**adam, "amsgrad": h.amsgrad},
        "nadam": lambda: {**adam, **decoupled, "momentum_decay": h.momentum_decay},
        "adamax": lambda: adam,
        "adagrad": lambda: {
            "lr_decay": h.lr_decay,
            "initial_accumulator_value": h.initial_accumulator_value,
            "eps": h.eps,
        },
        "adadelta": lambda: {"rho": h.rho, "eps": h.eps},
        "rmsprop": lambda: {
            "alpha": h.alpha,
            "eps": h.eps,
            "momentum": h.momentum,
            "centered": h.centered,
        },
        "radam": lambda: {**adam, **decoupled},
        "adafactor": lambda: {"beta2_decay": h.beta2_decay, "eps": (h.eps1, h.eps2), "d": h.d},
    }
    return {**common, **own[kind]()}


TORCH = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "nadam": torch.optim.NAdam,
    "adamax": torch.optim.Adamax,
    "adagrad": torch.optim.Adagrad,
    "adadelta": torch.optim.Adadelta,
    "rmsprop": torch.optim.RMSprop,
    "radam": torch.optim.RAdam,
    "adafactor": torch.optim.Adafactor,
}


def build_sgd(h, params):
    """torch's SGD knows no decoupled decay: shrink by hand before its step."""
    kwargs = torch_kwargs("sgd", h)
    if h.decay == "l2":
        return TorchRun(params, lambda ps: [torch.optim.SGD(ps, **kwargs)])
    kwargs["weight_decay"] = 0.0

    def shrink(run, lr):
        for p in run.params:
            p.data.mul_(1 - lr * h.weight_decay)

    return TorchRun(params, lambda ps: [torch.optim.SGD(ps, **kwargs)], before=shrink)


def build_muon(h, params, bfloat16=False):
    """Muon for matrices, AdamW for the rest; either list may be empty."""

    def make(ps):
        matrices, others = [p for p in ps if p.ndim == 2], [p for p in ps if p.ndim != 2]
        made = []
        if matrices:
            made.append(
                torch.optim.Muon(
                    matrices,
                    lr=h.lr,
                    weight_decay=h.weight_decay,
                    momentum=h.momentum,
                    nesterov=h.nesterov,
                    eps=h.eps,
                    ns_steps=h.ns_steps,
                    adjust_lr_fn=h.adjust_lr,
                )
            )
        if others:
            made.append(
                torch.optim.AdamW(
                    others,
                    lr=h.adamw_lr,
                    betas=(h.adamw_beta1, h.adamw_beta2),
                    eps=h.adamw_eps,
                    weight_decay=h.weight_decay,
                )
            )
        return made

    around = contextlib.nullcontext if bfloat16 else lambda: widened(torch.optim._muon, "bfloat16")
    run = TorchRun(params, make, around=around)
    run.rates = [
        1.0 if isinstance(o, torch.optim.Muon) else h.adamw_lr / h.lr for o in run.optimizers
    ]
    return run


def build_adopt(h, params):
    """The package clips at t^(1/4) and decays at its first step; paper and optax do neither."""

    def quiet_first_step(run, lr):
        if h.decay == "decoupled":
            group = run.optimizers[0].param_groups[0]
            group["weight_decay"] = h.weight_decay if group.get("step", 0) > 0 else 0.0

    def make(ps):
        return [
            pytorch_optimizer.ADOPT(
                ps,
                lr=h.lr,
                betas=betas(h),
                eps=h.eps,
                weight_decay=h.weight_decay,
                weight_decouple=h.decay == "decoupled",
                clip_lambda=(lambda step: (step - 1) ** 0.25) if h.clip else None,
            )
        ]

    return TorchRun(params, make, before=quiet_first_step)


def build_ademamix(h, params):
    """The package has one warmup for alpha and beta3."""
    assert h.alpha_warmup == h.beta3_warmup
    return TorchRun(
        params,
        lambda ps: [
            pytorch_optimizer.AdEMAMix(
                ps,
                lr=h.lr,
                betas=betas(h, "beta1", "beta2", "beta3"),
                eps=h.eps,
                alpha=h.alpha,
                t_alpha_beta3=h.alpha_warmup or None,
                weight_decay=h.weight_decay,
                weight_decouple=True,
            )
        ],
    )


def build_soap(h, params):
    return TorchRun(
        params,
        lambda ps: [
            pytorch_optimizer.SOAP(
                ps,
                lr=h.lr,
                betas=betas(h),
                shampoo_beta=h.shampoo_beta,
                eps=h.eps,
                weight_decay=h.weight_decay,
                precondition_frequency=h.precondition_frequency,
                max_precondition_dim=h.max_precondition_dim,
                correct_bias=h.correct_bias,
            )
        ],
        around=lambda: widened(pytorch_optimizer.optimizer.soap, "float32"),
    )


def build_mars(h, params):
    return TorchRun(
        params,
        lambda ps: [
            pytorch_optimizer.MARS(
                ps,
                lr=h.lr,
                betas=betas(h),
                gamma=h.gamma,
                mars_type=h.variant,
                optimize_1d=h.optimize_1d,
                lr_1d=h.lr_1d,
                betas_1d=betas(h, "beta1_1d", "beta2_1d"),
                eps=h.eps,
                weight_decay=h.weight_decay,
                weight_decay_1d=h.weight_decay_1d,
            )
        ],
    )


def prodigy(h, params):
    return pytorch_optimizer.Prodigy(
        params,
        lr=h.lr,
        betas=betas(h),
        beta3=h.beta3,
        eps=h.eps,
        d0=h.d0,
        d_coef=h.d_coef,
        growth_rate=h.growth_rate,
        weight_decay=h.weight_decay,
        bias_correction=h.bias_correction,
        safeguard_warmup=h.safeguard_warmup,
    )


def build_schedule_free(h, params):
    """The wrapper over a torch optimizer."""
    if h.beta == 0:
        return None
    keys = {k: v for k, v in h.base.items() if k != "kind"}
    kind = h.base["kind"]
    base = with_defaults(kind, {**keys, "lr": h.lr})

    def make_base(ps):
        if kind != "prodigy":
            return TORCH[kind](ps, **torch_kwargs(kind, base))
        # Not prodigyopt's, which counts its updates in group["k"], as the wrapper does: each
        # counts the other's, too. Where neither counts (no bias correction, r = 0), the two
        # were found equal.
        return prodigy(base, ps)

    return ScheduleFreeRun(
        params,
        lambda ps: [
            SeparateState(
                make_base(ps),
                momentum=h.beta,
                weight_decay_at_y=h.weight_decay,
                r=h.r,
                weight_lr_power=h.weight_lr_power,
            )
        ],
    )


def build_schedule_free_kind(kind, h, params, reference=False):
    """The three dedicated classes; `reference` takes the package's slow twin where it has one.

    They divide by beta, so that 0 is left to the transcription.
    """
    if h.beta == 0:
        return None
    common = {
        "lr": h.lr,
        "weight_decay": h.weight_decay,
        "r": h.r,
        "weight_lr_power": h.weight_lr_power,
    }
    if kind == "schedule_free_sgd":
        cls = schedulefree.SGDScheduleFreeReference if reference else schedulefree.SGDScheduleFree
        kwargs = {"momentum": h.beta, "warmup_steps": h.warmup}
    elif kind == "schedule_free_adamw":
        cls = (
            schedulefree.AdamWScheduleFreeReference if reference else schedulefree.AdamWScheduleFree
        )
        kwargs = {"betas": (h.beta, h.beta2), "eps": h.eps, "warmup_steps": h.warmup}
    else:
        cls = schedulefree.RAdamScheduleFree
        kwargs = {"betas": (h.beta, h.beta2), "eps": h.eps, "silent_sgd_phase": h.silent_sgd_phase}
    with contextlib.redirect_stdout(io.StringIO()):
        return ScheduleFreeRun(params, lambda ps: [cls(ps, **common, **kwargs)])


# What `families` adds: a kind's optimizer of (h, params), or None where there is none to run.
BUILDERS = {}


def build(kind, settings, params):
    """The package's optimizer for a kind, or None where a transcription is all there is."""
    h = with_defaults(kind, settings)
    if kind in BUILDERS:
        return BUILDERS[kind](h, params) if BUILDERS[kind] else None
    po = pytorch_optimizer
    simple = {
        "lion": lambda ps: po.Lion(ps, lr=h.lr, betas=betas(h), weight_decay=h.weight_decay),
        "adan": lambda ps: po.Adan(
            ps,
            lr=h.lr,
            betas=betas(h, "beta1", "beta2", "beta3"),
            eps=h.eps,
            weight_decay=h.weight_decay,
            weight_decouple=h.no_prox,
        ),
        "prodigy": lambda ps: prodigy(h, ps),
        "adabelief": lambda ps: po.AdaBelief(
            ps,
            lr=h.lr,
            betas=betas(h),
            eps=h.eps,
            weight_decay=h.weight_decay,
            ams_bound=h.amsgrad,
            weight_decouple=h.decay == "decoupled",
        ),
    }
    special = {
        "sgd": build_sgd,
        "muon": build_muon,
        "adopt": build_adopt,
        "ademamix": build_ademamix,
        "soap": build_soap,
        "mars": build_mars,
        "schedule_free": build_schedule_free,
    }
    if kind in special:
        return special[kind](h, params)
    if kind in simple:
        return TorchRun(params, lambda ps: [simple[kind](ps)])
    if kind == "adam_2k" or (kind == "radam" and h.variant == "author"):
        return None
    if kind == "lamb":
        return OptaxRun(
            params,
            lambda lr: optax.lamb(
                lr,
                b1=h.beta1,
                b2=h.beta2,
                eps=h.eps,
                weight_decay=h.weight_decay,
            ),
        )
    if kind.startswith("schedule_free_"):
        return build_schedule_free_kind(kind, h, params)
    return TorchRun(params, lambda ps: [TORCH[kind](ps, **torch_kwargs(kind, h))])
