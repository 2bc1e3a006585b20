"""Writes schedules.json: the multiplier of the learning rate at t = 0, 1, 2, ... for every
schedule.

Where torch, timm, optax or transformers has the scheduler, its own class is stepped and our closed
form has to agree to 1e-12; the others are plain transcriptions. All durations are steps, `total` is the length T of the run,
and the base rate is 1 (for one_cycle and cyclic: the maximum is 1), so a factor is what the peak
rate is multiplied by.

Run `python schedules.py`; it also checks the golden values that the project was given.
"""

import json
import math
import warnings
from pathlib import Path

import jax
import optax
import timm.scheduler
import torch
from torch.optim import lr_scheduler as L
from transformers.optimization import GreedyLR

warnings.filterwarnings("ignore", category=UserWarning)
jax.config.update("jax_enable_x64", True)
HERE = Path(__file__).parent
AGREE = 1e-12


def progress(t, over):
    """How far t is into a stretch, never beyond its end."""
    return min(t, over) / over


def blend(start, end, p):
    """The cosine from start (p = 0) to end (p = 1)."""
    return end + (start - end) * (1 + math.cos(math.pi * p)) / 2


def constant(t, total, **_):
    return 1.0


def step(t, total, every, gamma=0.1):
    return gamma ** (t // every)


def multi_step(t, total, milestones, gamma=0.1):
    return gamma ** sum(m <= t for m in milestones)


def exponential(t, total, gamma, every=1, smooth=False, end=None):
    factor = gamma ** (t / every if smooth else t // every)
    if end is None:
        return factor
    return max(factor, end) if gamma < 1 else min(factor, end)


def linear(t, total, start=1.0, end=0.0, over=None):
    return start + (end - start) * progress(t, over or total)


def polynomial(t, total, power=1.0, over=None, end=0.0, k_decay=1.0):
    return end + (1 - end) * (1 - progress(t, over or total) ** k_decay) ** power


def cosine(t, total, min_factor=0.0, period=None, k_decay=1.0):
    p = t / (period or total)
    return blend(1.0, min_factor, p**k_decay if p < 1 else p)


def cosine_warm_restarts(t, total, period, mult=1, min_factor=0.0):
    while t >= period:
        t, period = t - period, period * mult
    return blend(1.0, min_factor, t / period)


def one_cycle_phases(total, pct_start, three_phase):
    """(end of phase, rate there, momentum there) by name, from the initial point on."""
    rise = pct_start * total - 1
    if three_phase:
        ends = [(rise, "max", "base"), (2 * rise, "initial", "max"), (total - 1, "min", "max")]
    else:
        ends = [(rise, "max", "base"), (total - 1, "min", "max")]
    return [(0.0, "initial", "max"), *ends]


def one_cycle_pair(
    t,
    total,
    pct_start=0.3,
    div=25.0,
    final_div=1e4,
    three_phase=False,
    anneal="cos",
    base_momentum=0.85,
    max_momentum=0.95,
    cycle_momentum=True,
):
    """Rate and momentum; past the last step both stay."""
    t = min(t, total - 1)
    rates = {"initial": 1 / div, "max": 1.0, "min": 1 / div / final_div}
    momenta = {"base": base_momentum, "max": max_momentum}
    between = blend if anneal == "cos" else lambda a, b, p: a + (b - a) * p
    phases = one_cycle_phases(total, pct_start, three_phase)
    for (begin, rate0, momentum0), (end, rate1, momentum1) in zip(phases, phases[1:]):
        if t <= end:
            p = (t - begin) / (end - begin)
            return (
                between(rates[rate0], rates[rate1], p),
                between(momenta[momentum0], momenta[momentum1], p),
            )
    raise AssertionError("the last phase ends at total - 1")


def one_cycle(t, total, **keys):
    return one_cycle_pair(t, total, **keys)[0]


def cyclic_pair(
    t,
    total,
    up,
    base_factor,
    down=None,
    mode="triangular",
    gamma=1.0,
    base_momentum=0.8,
    max_momentum=0.9,
    cycle_momentum=True,
):
    """Rate and momentum; goes on for ever."""
    down = down or up
    cycle, at = divmod(t, up + down)
    height = at / up if at <= up else (up + down - at) / down
    height *= {"triangular": 1.0, "triangular2": 0.5**cycle, "exp_range": gamma**t}[mode]
    return (
        base_factor + (1 - base_factor) * height,
        max_momentum - (max_momentum - base_momentum) * height,
    )


def cyclic(t, total, **keys):
    return cyclic_pair(t, total, **keys)[0]


def wsd(t, total, decay, shape="linear", min_factor=None):
    """Stable, then decay over the last steps; the first step of the decay is still at 1."""
    low = (0.01 if shape == "exp" else 0.0) if min_factor is None else min_factor
    p = progress(max(0, t - (total - decay)), decay)
    if shape == "exp":
        return low**p
    height = {"linear": 1 - p, "cosine": blend(1.0, 0.0, p), "sqrt": 1 - math.sqrt(p)}[shape]
    return low + (1 - low) * height


def inverse_sqrt(t, total, timescale=1):
    return math.sqrt(timescale / (timescale + t))


def rex(t, total, min_factor=0.0):
    p = progress(t, total)
    return min_factor + (1 - min_factor) * (1 - p) / (1 - p / 2)


def tanh(t, total, lower=-7.0, upper=3.0, min_factor=0.0, over=None):
    p = progress(t, over or total)
    return min_factor + (1 - min_factor) * (1 - math.tanh(lower * (1 - p) + upper * p)) / 2


def power(t, total, power=2.0, of="passed", flat=0, min_factor=0.0):
    p = progress(max(0, t - flat), total - flat)
    share = 1 - p**power if of == "passed" else (1 - p) ** power
    return min_factor + (1 - min_factor) * share


def points(t, total, points, interpolation="linear"):
    if t < points[0][0]:
        return points[0][1]
    for (a, u), (b, v) in zip(points, points[1:]):
        if t < b:
            p = (t - a) / (b - a)
            return {"linear": u + (v - u) * p, "cosine": blend(u, v, p), "step": u}[interpolation]
    return points[-1][1]


# How a warmup rises, by the share of it that has passed.
RISES = {
    "linear": lambda p: p,
    "cosine": lambda p: (1 - math.cos(math.pi * p)) / 2,
    "sqrt": math.sqrt,
    "1-sqrt": lambda p: 1 - math.sqrt(1 - p),
}


def sequential(t, total, parts):
    """Each part runs on its own clock; the last one goes on."""
    for part in parts[:-1]:
        if t < part["length"]:
            return factor(part["schedule"], t, part["length"])
        t -= part["length"]
    return factor(parts[-1]["schedule"], t, parts[-1]["length"])


def chained(t, total, parts):
    return math.prod(factor(part, t, total) for part in parts)


# Formulas with what they say, in Python.
CURVES = {
    "0.5 * (1 + cos(pi * t / T))": lambda t, total: 0.5 * (1 + math.cos(math.pi * t / total)),
    "where(t < T / 2 and not t == 3, 1, 0.25 ^ (t - 2))": lambda t, total: (
        1.0 if t < total / 2 and t != 3 else 0.25 ** (t - 2)
    ),
    "max(exp(-t / 4), sqrt(1 / (t + 1)) - 0.1)": lambda t, total: max(
        math.exp(-t / 4), math.sqrt(1 / (t + 1)) - 0.1
    ),
}


def formula(t, total, factor):
    return CURVES[factor](t, total)


def factor(schedule, t, total):
    """The multiplier at t of a schedule given as its table {"kind", keys...}."""
    warm = ("warmup", "warmup_shape", "warmup_start")
    keys = {k: v for k, v in schedule.items() if k not in ("kind", *warm)}
    warmup = schedule.get("warmup", 0)
    if t < warmup:
        start = schedule.get("warmup_start", 0.0)
        return start + (1 - start) * RISES[schedule.get("warmup_shape", "linear")]((t + 1) / warmup)
    if schedule["kind"] == "inverse_sqrt" and warmup:
        keys.setdefault("timescale", warmup)
    return globals()[schedule["kind"]](t - warmup, total - warmup, **keys)


def torch_scheduler(schedule, optimizer, total):
    """torch's class for a schedule, or None."""
    keys = {k: v for k, v in schedule.items() if k != "kind"}
    get, kind = keys.get, schedule["kind"]
    if "warmup" in keys:
        return None
    if kind == "constant":
        return L.ConstantLR(optimizer, factor=1.0)
    if kind == "step":
        return L.StepLR(optimizer, keys["every"], get("gamma", 0.1))
    if kind == "multi_step":
        return L.MultiStepLR(optimizer, keys["milestones"], get("gamma", 0.1))
    if "k_decay" in keys or "end" in keys and kind != "linear":
        return None
    if kind == "exponential" and get("every", 1) == 1:
        return L.ExponentialLR(optimizer, keys["gamma"])
    if kind == "linear" and get("start", 1.0) > 0:
        return L.LinearLR(optimizer, get("start", 1.0), get("end", 0.0), get("over", total))
    if kind == "polynomial":
        return L.PolynomialLR(optimizer, get("over", total), get("power", 1.0))
    if kind == "cosine":
        return L.CosineAnnealingLR(optimizer, get("period", total), get("min_factor", 0.0))
    if kind == "cosine_warm_restarts":
        return L.CosineAnnealingWarmRestarts(
            optimizer, keys["period"], get("mult", 1), get("min_factor", 0.0)
        )
    if kind == "one_cycle":
        names = {"anneal": "anneal_strategy", "div": "div_factor", "final_div": "final_div_factor"}
        return L.OneCycleLR(optimizer, 1.0, total, **{names.get(k, k): v for k, v in keys.items()})
    if kind == "cyclic":
        names = {"up": "step_size_up", "down": "step_size_down", "base_factor": "base_lr"}
        return L.CyclicLR(optimizer, max_lr=1.0, **{names.get(k, k): v for k, v in keys.items()})
    if kind == "formula":
        curve = CURVES[keys["factor"]]
        return L.LambdaLR(optimizer, lambda t: curve(t, total))
    if kind == "sequential":
        parts = keys["parts"]
        made = [torch_scheduler(p["schedule"], optimizer, p["length"]) for p in parts]
        ends = [sum(p["length"] for p in parts[: i + 1]) for i in range(len(parts) - 1)]
        return None if None in made else L.SequentialLR(optimizer, made, ends)
    if kind == "chained":
        made = [torch_scheduler(p, optimizer, total) for p in keys["parts"]]
        return None if None in made else L.ChainedScheduler(made)
    return None


def optimizer_at_one():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0, momentum=0.5)


def torch_factors(schedule, total, steps):
    """Rates and momenta of torch's scheduler at t = 0 .. steps-1, or None where it has none."""
    optimizer = optimizer_at_one()
    scheduler = torch_scheduler(schedule, optimizer, total)
    if scheduler is None:
        return None
    rates, momenta = [], []
    for t in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        momenta.append(optimizer.param_groups[0]["momentum"])
        if t + 1 < steps:
            optimizer.step()
            scheduler.step()
    return rates, momenta


def elsewhere(schedule, total):
    """(library, its factors up to where it leaves the curve), or None where no library has it."""
    keys = {k: v for k, v in schedule.items() if k != "kind"}
    get, kind = keys.get, schedule["kind"]
    if "warmup" in keys:
        return None
    over = get("over", get("period", total))
    if kind == "tanh":
        limits = {"lb": get("lower", -7.0), "ub": get("upper", 3.0)}
        made = timm.scheduler.TanhLRScheduler(
            optimizer_at_one(), over, lr_min=get("min_factor", 0.0), **limits
        )
    elif kind == "cosine" and "k_decay" in keys:
        made = timm.scheduler.CosineLRScheduler(
            optimizer_at_one(), over, lr_min=get("min_factor", 0.0), k_decay=keys["k_decay"]
        )
    elif kind == "polynomial" and "end" in keys:
        made = timm.scheduler.PolyLRScheduler(
            optimizer_at_one(), over, keys["power"], keys["end"], k_decay=get("k_decay", 1.0)
        )
    elif kind == "exponential" and "end" in keys:
        every, gamma = get("every", 1), keys["gamma"]
        curve = optax.exponential_decay(
            1.0, every, gamma, staircase=not get("smooth", False), end_value=keys["end"]
        )
        return "optax", [float(curve(t)) for t in range(total)]
    elif kind == "points" and get("interpolation", "linear") != "step" and keys["points"][0][0] == 0:
        (_, first), *rest = keys["points"]
        if first == 0:
            return None
        scales, value = {}, first
        for at, factor_there in rest:
            scales[at], value = factor_there / value, factor_there
        curve = optax.piecewise_interpolate_schedule(get("interpolation", "linear"), first, scales)
        return "optax", [float(curve(t)) for t in range(total)]
    else:
        return None
    return "timm", [made._get_lr(t)[0] for t in range(over)]


def schedule_of(kind, **keys):
    return {"kind": kind, **keys}


def part(length, kind, **keys):
    return {"schedule": schedule_of(kind, **keys), "length": length}


# (name, schedule, T). Every key away from its default at least once, and a warmup on every kind.
SCHEDULES = [
    ("plain", schedule_of("constant"), 10),
    ("warmup", schedule_of("constant", warmup=4), 10),
    ("defaults", schedule_of("step", every=3), 10),
    ("gamma", schedule_of("step", every=4, gamma=0.5), 20),
    ("warmup", schedule_of("step", every=4, gamma=0.5, warmup=3), 20),
    ("plain", schedule_of("multi_step", milestones=[2, 5], gamma=0.5), 10),
    ("duplicate", schedule_of("multi_step", milestones=[3, 3, 7]), 10),
    ("warmup", schedule_of("multi_step", milestones=[3, 7], warmup=2), 12),
    ("plain", schedule_of("exponential", gamma=0.9), 12),
    ("every", schedule_of("exponential", gamma=0.5, every=4), 12),
    ("smooth", schedule_of("exponential", gamma=0.5, every=4, smooth=True), 12),
    ("warmup", schedule_of("exponential", gamma=0.5, every=4, smooth=True, warmup=5), 16),
    ("defaults", schedule_of("linear"), 12),
    ("rising", schedule_of("linear", start=0.25, end=1.0, over=5), 12),
    ("from_zero", schedule_of("linear", start=0.0, end=0.5, over=8), 12),
    ("warmup", schedule_of("linear", end=0.1, warmup=4), 12),
    ("defaults", schedule_of("polynomial"), 10),
    ("power", schedule_of("polynomial", power=2.0, over=5), 10),
    ("root", schedule_of("polynomial", power=0.5), 10),
    ("warmup", schedule_of("polynomial", power=2.0, warmup=3), 12),
    ("defaults", schedule_of("cosine"), 12),
    ("period", schedule_of("cosine", min_factor=0.1, period=6), 12),
    ("warmup", schedule_of("cosine", min_factor=0.05, warmup=5), 25),
    ("same_length", schedule_of("cosine_warm_restarts", period=4), 16),
    ("doubling", schedule_of("cosine_warm_restarts", period=3, mult=2, min_factor=0.1), 21),
    ("warmup", schedule_of("cosine_warm_restarts", period=3, mult=3, warmup=4), 20),
    ("defaults", schedule_of("one_cycle"), 10),
    ("pct_start", schedule_of("one_cycle", pct_start=0.45, div=10.0, final_div=100.0), 33),
    ("linear", schedule_of("one_cycle", anneal="linear", base_momentum=0.8, max_momentum=0.9), 20),
    ("three_phase_linear", schedule_of("one_cycle", three_phase=True, anneal="linear"), 10),
    ("three_phase_cos", schedule_of("one_cycle", three_phase=True, pct_start=0.4), 27),
    ("no_momentum", schedule_of("one_cycle", cycle_momentum=False), 15),
    ("triangular", schedule_of("cyclic", up=4, base_factor=0.1, gamma=0.9), 20),
    ("uneven", schedule_of("cyclic", up=2, down=5, base_factor=0.2), 20),
    ("triangular2", schedule_of("cyclic", up=4, down=4, base_factor=0.1, mode="triangular2"), 20),
    (
        "exp_range",
        schedule_of("cyclic", up=3, down=4, base_factor=0.1, mode="exp_range", gamma=0.9),
        20,
    ),
    ("no_momentum", schedule_of("cyclic", up=4, base_factor=0.1, cycle_momentum=False), 12),
    ("linear", schedule_of("wsd", decay=4), 20),
    ("cosine", schedule_of("wsd", decay=8, shape="cosine", min_factor=0.1), 20),
    ("sqrt", schedule_of("wsd", decay=8, shape="sqrt"), 20),
    ("exp", schedule_of("wsd", decay=8, shape="exp"), 20),
    ("warmup", schedule_of("wsd", decay=6, shape="sqrt", min_factor=0.05, warmup=5), 30),
    ("all_decay", schedule_of("wsd", decay=20), 20),
    ("plain", schedule_of("inverse_sqrt"), 16),
    ("timescale", schedule_of("inverse_sqrt", timescale=10), 30),
    ("warmup", schedule_of("inverse_sqrt", warmup=6), 30),
    ("plain", schedule_of("rex"), 16),
    ("min_factor", schedule_of("rex", min_factor=0.1), 16),
    ("warmup", schedule_of("rex", warmup=4), 20),
    ("end", schedule_of("exponential", gamma=0.8, end=0.3), 12),
    ("growth", schedule_of("exponential", gamma=1.25, end=2.0, every=2, smooth=True), 12),
    ("end", schedule_of("polynomial", power=2.0, end=0.1), 12),
    ("k_decay", schedule_of("polynomial", power=1.5, k_decay=2.0, end=0.05, over=9), 12),
    ("k_decay", schedule_of("cosine", min_factor=0.1, k_decay=1.5), 12),
    ("defaults", schedule_of("tanh"), 16),
    ("limits", schedule_of("tanh", lower=-6.0, upper=2.5, min_factor=0.1, over=12), 16),
    ("defaults", schedule_of("power"), 12),
    ("cooling", schedule_of("power", power=1.2, of="left", flat=5, min_factor=0.1), 16),
    ("warmup", schedule_of("power", power=3.0, flat=2, warmup=3, warmup_shape="cosine"), 16),
    ("linear", schedule_of("points", points=[[2, 0.5], [5, 1.0], [12, 0.0]]), 16),
    ("cosine", schedule_of("points", points=[[0, 0], [4, 1], [9, 0.25]], interpolation="cosine"), 12),
    ("lines", schedule_of("points", points=[[0, 0.5], [4, 1.0], [9, 0.25], [12, 0.125]]), 12),
    (
        "cosines",
        schedule_of("points", points=[[0, 1], [4, 0.5], [9, 0.75]], interpolation="cosine"),
        12,
    ),
    ("step", schedule_of("points", points=[[0, 1], [4, 0.5], [9, 0.1]], interpolation="step"), 12),
    ("warmup_sqrt", schedule_of("constant", warmup=5, warmup_shape="sqrt", warmup_start=0.1), 8),
    ("warmup_1_sqrt", schedule_of("linear", warmup=5, warmup_shape="1-sqrt"), 12),
    *[(f"{i}", schedule_of("formula", factor=text), 16) for i, text in enumerate(CURVES)],
    ("warmup", schedule_of("formula", factor=next(iter(CURVES)), warmup=4), 20),
    (
        "rise_and_fall",
        schedule_of(
            "sequential", parts=[part(5, "linear", start=0.1, end=1.0), part(10, "cosine")]
        ),
        15,
    ),
    (
        "three_parts",
        schedule_of(
            "sequential",
            parts=[
                part(4, "constant"),
                part(6, "exponential", gamma=0.8),
                part(8, "polynomial", power=2.0),
            ],
        ),
        18,
    ),
    (
        "with_rex",
        schedule_of("sequential", parts=[part(6, "inverse_sqrt", timescale=3), part(6, "rex")]),
        12,
    ),
    (
        "linear_step",
        schedule_of(
            "chained",
            parts=[
                schedule_of("linear", start=0.25, end=1.0, over=4),
                schedule_of("step", every=5, gamma=0.5),
            ],
        ),
        16,
    ),
    (
        "exponential_multi_step",
        schedule_of(
            "chained",
            parts=[
                schedule_of("exponential", gamma=0.95),
                schedule_of("multi_step", milestones=[4, 9]),
            ],
        ),
        14,
    ),
    (
        "polynomial_exponential",
        schedule_of(
            "chained",
            parts=[
                schedule_of("polynomial", power=2.0),
                schedule_of("exponential", gamma=0.9),
            ],
        ),
        10,
    ),
]

NAN = float("nan")
PLATEAUS = [
    ("constant", {"patience": 2}, [1.0] * 14),
    ("cooldown", {"patience": 2, "cooldown": 1}, [1.0] * 14),
    ("improving", {"patience": 1}, [1.0, 0.9, 0.8, 0.8, 0.8, 0.7, 0.71, 0.72, 0.73, 0.6]),
    (
        "max_abs",
        {"mode": "max", "threshold_mode": "abs", "threshold": 0.05, "factor": 0.5, "patience": 1},
        [0.5, 0.54, 0.56, 0.6, 0.62, 0.7, 0.74, 0.74, 0.75, 0.76, 0.77],
    ),
    ("max_rel", {"mode": "max", "threshold": 0.1, "patience": 0}, [0.5, 0.54, 0.56, 0.6, 0.7, 0.7]),
    (
        "min_abs",
        {"threshold_mode": "abs", "threshold": 0.1, "patience": 1, "factor": 0.5, "cooldown": 2},
        [1.0, 0.95, 0.91, 0.89, 0.85, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8],
    ),
    ("min_factor", {"patience": 0, "factor": 0.3, "min_factor": 0.05}, [1.0] * 8),
    ("nan", {"patience": 1, "factor": 0.5}, [1.0, NAN, NAN, 0.5, NAN, 0.4, NAN, NAN, NAN, 0.3]),
    ("nan_first", {"patience": 1}, [NAN, NAN, 1.0, 0.9, 0.8, NAN, NAN]),
    ("negative", {"patience": 2, "factor": 0.5}, [-1.0, -1.0, -0.5, -2.0, -2.0, -2.0, -2.0, -2.0]),
    ("too_small_to_matter", {"patience": 0, "factor": 0.1}, [1.0] * 13),
]


def plateau_factors(
    metrics,
    mode="min",
    factor=0.1,
    patience=10,
    threshold=1e-4,
    threshold_mode="rel",
    cooldown=0,
    min_factor=0.0,
):
    """The factor after each observation."""
    sign = 1.0 if mode == "max" else -1.0
    best, bad, cooling, now, out = -sign * math.inf, 0, 0, 1.0, []
    for metric in metrics:
        bound = (
            best + sign * threshold if threshold_mode == "abs" else best * (1 + sign * threshold)
        )
        if metric > bound if mode == "max" else metric < bound:
            best, bad = metric, 0
        else:
            bad += 1
        if cooling > 0:
            cooling, bad = cooling - 1, 0
        if bad > patience:
            lower = max(now * factor, min_factor)
            now = lower if now - lower > 1e-8 else now
            cooling, bad = cooldown, 0
        out.append(now)
    return out


def torch_plateau(metrics, settings):
    """The same from torch."""
    optimizer = optimizer_at_one()
    settings = {("min_lr" if k == "min_factor" else k): v for k, v in settings.items()}
    scheduler = L.ReduceLROnPlateau(optimizer, **settings)
    out = []
    for metric in metrics:
        scheduler.step(metric)
        out.append(optimizer.param_groups[0]["lr"])
    return out


# Given to the project beforehand, at base rate 0.1; printed with 8 digits.
GOLDEN = [
    (schedule_of("step", every=3), 8, [0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001, 0.001]),
    (
        schedule_of("multi_step", milestones=[2, 5], gamma=0.5),
        8,
        [0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025],
    ),
    (
        schedule_of("linear", start=1 / 3, end=1.0, over=5),
        8,
        [0.033333333, 0.046666667, 0.06, 0.073333333, 0.086666667, 0.1, 0.1, 0.1],
    ),
    (
        schedule_of("exponential", gamma=0.9),
        8,
        [0.1, 0.09, 0.081, 0.0729, 0.06561, 0.059049, 0.0531441, 0.04782969],
    ),
    (
        schedule_of("polynomial", over=5, power=2),
        8,
        [0.1, 0.064, 0.036, 0.016, 0.004, 0.0, 0.0, 0.0],
    ),
    (
        schedule_of("cosine", period=6, min_factor=0.1),
        13,
        [
            0.1,
            0.093971143,
            0.0775,
            0.055,
            0.0325,
            0.016028857,
            0.01,
            0.016028857,
            0.0325,
            0.055,
            0.0775,
            0.093971143,
            0.1,
        ],
    ),
    (
        schedule_of("cosine_warm_restarts", period=3, mult=2),
        12,
        [
            0.1,
            0.075,
            0.025,
            0.1,
            0.09330127,
            0.075,
            0.05,
            0.025,
            0.0066987298,
            0.1,
            0.098296291,
            0.09330127,
        ],
    ),
    (
        schedule_of("cyclic", up=4, down=4, base_factor=0.1, mode="triangular", gamma=0.9),
        17,
        [
            0.01,
            0.0325,
            0.055,
            0.0775,
            0.1,
            0.0775,
            0.055,
            0.0325,
            0.01,
            0.0325,
            0.055,
            0.0775,
            0.1,
            0.0775,
            0.055,
            0.0325,
            0.01,
        ],
    ),
    (
        schedule_of("cyclic", up=4, down=4, base_factor=0.1, mode="triangular2", gamma=0.9),
        17,
        [
            0.01,
            0.0325,
            0.055,
            0.0775,
            0.1,
            0.0775,
            0.055,
            0.0325,
            0.01,
            0.02125,
            0.0325,
            0.04375,
            0.055,
            0.04375,
            0.0325,
            0.02125,
            0.01,
        ],
    ),
    (
        schedule_of("cyclic", up=4, down=4, base_factor=0.1, mode="exp_range", gamma=0.9),
        17,
        [
            0.01,
            0.03025,
            0.04645,
            0.0592075,
            0.069049,
            0.049858075,
            0.033914845,
            0.02076168,
            0.01,
            0.018716961,
            0.02569053,
            0.031182215,
            0.035418658,
            0.027157594,
            0.020294557,
            0.01463255,
            0.01,
        ],
    ),
    (
        schedule_of("one_cycle"),
        10,
        [
            0.004,
            0.052,
            0.1,
            0.095048463,
            0.081174565,
            0.061126202,
            0.038874198,
            0.018825835,
            0.0049519368,
            4e-07,
        ],
    ),
    (
        schedule_of("one_cycle", three_phase=True, anneal="linear"),
        10,
        [0.004, 0.052, 0.1, 0.052, 0.004, 0.00320008, 0.00240016, 0.00160024, 0.00080032, 4e-07],
    ),
]
GOLDEN_MOMENTUM = [
    0.95,
    0.9,
    0.85,
    0.85495156,
    0.86882551,
    0.88887395,
    0.91112605,
    0.93117449,
    0.94504844,
    0.95,
]
GOLDEN_PLATEAU = [
    ({"patience": 2}, [0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001, 0.001, 0.001, 0.0001]),
    ({"patience": 2, "cooldown": 1}, [0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01, 0.001, 0.001, 0.001]),
]


def check_golden():
    """The numbers the project started from."""
    for schedule, steps, expected in GOLDEN:
        total = 10 if schedule["kind"] == "one_cycle" else steps
        for t, value in enumerate(expected):
            ours = 0.1 * factor(schedule, t, total)
            assert math.isclose(ours, value, rel_tol=1e-7, abs_tol=1e-15), (
                schedule,
                t,
                ours,
                value,
            )
    for t, value in enumerate(GOLDEN_MOMENTUM):
        assert math.isclose(one_cycle_pair(t, 10)[1], value, rel_tol=1e-8), t
    for settings, expected in GOLDEN_PLATEAU:
        for ours, value in zip(plateau_factors([1.0] * 10, **settings), expected):
            assert math.isclose(0.1 * ours, value, rel_tol=1e-9), (settings, ours, value)
    constant_lr = L.ConstantLR(optimizer_at_one(), factor=1 / 3, total_iters=5)
    assert math.isclose(constant_lr.get_last_lr()[0], 1 / 3)


def schedule_entry(name, schedule, total):
    """Factors to well past the end, torch's own where it has them."""
    kind = schedule["kind"]
    steps = total if kind == "one_cycle" else total + total // 2 + 2
    ours = [factor(schedule, t, total) for t in range(steps)]
    theirs = torch_factors(schedule, total, steps)
    apart = None
    if theirs:
        apart = max(abs(a - b) for a, b in zip(ours, theirs[0]))
        assert apart < AGREE, f"{kind} {name}: {apart:.1e}"
    other = elsewhere(schedule, total)
    if other:
        apart = max(abs(a - b) for a, b in zip(ours, other[1]))
        assert apart < AGREE, f"{kind} {name}: {apart:.1e}"
    keys = {k: v for k, v in schedule.items() if k != "kind"}
    entry = {
        "name": f"{kind}_{name}",
        "kind": kind,
        "settings": keys,
        "total": total,
        "reference": "torch" if theirs else other[0] if other else "transcription",
        "factors": theirs[0] if theirs else ours,
    }
    if kind in ("one_cycle", "cyclic") and keys.get("cycle_momentum", True):
        pair = one_cycle_pair if kind == "one_cycle" else cyclic_pair
        for t, momentum in enumerate(theirs[1]):
            assert abs(pair(t, total, **keys)[1] - momentum) < AGREE
        entry["momentum"] = theirs[1]
    return entry, apart


GREEDY = [
    ("defaults", {}, [1.0 / (t + 1) for t in range(30)] + [1.0] * 30),
    (
        "bounds",
        {"patience": 1, "factor": 0.5, "min_factor": 0.2, "max_factor": 2.0},
        [1.0, 0.9, 0.8, 0.7, 0.6, 0.5] + [0.5] * 8 + [0.4, 0.3, 0.2, 0.1],
    ),
    (
        "cooldown_and_hold",
        {"patience": 1, "factor": 0.8, "cooldown": 2, "hold": 1},
        [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.3, 0.2, 0.1],
    ),
    (
        "reset",
        {"patience": 0, "factor": 0.5, "min_factor": 0.25, "reset": 3, "cooldown": 1},
        [1.0] * 14 + [0.5, 0.25] + [1.0] * 12,
    ),
    (
        "window",
        {"patience": 1, "factor": 0.9, "window": 4, "mode": "max", "threshold_mode": "rel"},
        [math.sin(t) + t / 10 for t in range(40)],
    ),
    (
        "threshold",
        {"patience": 0, "factor": 0.9, "threshold": 0.1},
        [1.0, 0.95, 0.89, 0.8, 0.6, 0.55, 0.4],
    ),
]


def greedy_entry(name, settings, metrics):
    """Factors after each observation, of transformers' own class."""
    names = {
        "min_factor": "min_lr",
        "max_factor": "max_lr",
        "hold": "warmup",
        "window": "window_size",
        "reset": "reset_start",
    }
    given = {"min_factor": 0.01, "max_factor": 10.0, **settings}
    scheduler = GreedyLR(
        optimizer_at_one(),
        smooth="window" in given,
        **{names.get(key, key): value for key, value in given.items()},
    )
    factors = []
    for metric in metrics:
        scheduler.step(metric)
        factors.append(scheduler.get_last_lr()[0])
    return {
        "name": f"greedy_{name}",
        "kind": "greedy",
        "settings": settings,
        "reference": "transformers",
        "metrics": metrics,
        "factors": factors,
    }


def plateau_entry(name, settings, metrics):
    """Factors after each observation; JSON has no NaN, so null stands for it."""
    theirs = torch_plateau(metrics, settings)
    ours = plateau_factors(metrics, **settings)
    assert all(abs(a - b) < AGREE for a, b in zip(ours, theirs)), (name, ours, theirs)
    return {
        "name": f"reduce_on_plateau_{name}",
        "kind": "reduce_on_plateau",
        "settings": settings,
        "reference": "torch",
        "metrics": [None if math.isnan(m) else m for m in metrics],
        "factors": theirs,
    }


def main():
    """Check everything, then write schedules.json, one schedule a line."""
    check_golden()
    entries, worst = [], 0.0
    for name, schedule, total in SCHEDULES:
        entry, apart = schedule_entry(name, schedule, total)
        entries.append(entry)
        worst = max(worst, apart or 0.0)
    entries += [plateau_entry(*plateau) for plateau in PLATEAUS]
    entries += [greedy_entry(*greedy) for greedy in GREEDY]
    names = [entry["name"] for entry in entries]
    assert len(set(names)) == len(names)
    lines = ",\n".join(json.dumps(entry, allow_nan=False) for entry in entries)
    head = json.dumps({"torch": torch.__version__.split("+")[0]})[:-1]
    (HERE / "schedules.json").write_text(f'{head}, "schedules": [\n{lines}\n]}}\n')
    by_others = sum(entry["reference"] != "transcription" for entry in entries)
    print(f"{len(entries)} schedules, {by_others} by libraries; closed forms within {worst:.1e}")


if __name__ == "__main__":
    main()
