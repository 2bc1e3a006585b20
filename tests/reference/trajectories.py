"""Writes trajectories/<kind>.json: where every optimizer stands after 1, 2, 3, ... 120 updates.

Each case is run three times: by the package that owns the optimizer, by our transcription of its
formulas, and by the transcription with gradients disturbed in their last bit. The first two must
agree to 1e-12; the third tells that the case is not chaotic, so that any faithful f64 port can be
held to 1e-10.

Run `python trajectories.py [KIND ...]`; needs problems.json.
"""

import json
import sys

import numpy as np

import families  # noqa: F401, which adds its kinds to the others
import golden
import problems
import references
import rules
from cases import CASES

POINTS = [1, 2, 3, 5, 10, 20, 40, 80, 120]
AGREE = 1e-12
STEADY = 1e-11
OUT = problems.HERE / "trajectories"


def lr_factor(name, t):
    """The multiplier of the rate for the update with 0-based index t."""
    return min(1.0, (t + 1) / 10) if name == "warmup10" else 1.0


def flatten(arrays):
    return np.concatenate([np.ravel(a) for a in arrays])


def run(optimizer, problem_name, problem, lr, factors, noise=None):
    """Train and return the visited points: {step: (train, eval or None)}."""
    visited = {}
    for t in range(POINTS[-1]):
        value, grads = problems.gradients(problem_name, optimizer.train_point(), problem)
        assert np.isfinite(value), f"diverged at step {t}"
        if noise is not None:
            grads = [g * (1 + 2.0**-52 * noise.choice([-1.0, 1.0], g.shape)) for g in grads]
        optimizer.step(grads, lr * lr_factor(factors, t))
        if t + 1 in POINTS:
            evaluated = optimizer.eval_point()
            train = flatten(optimizer.train_point())
            visited[t + 1] = (train, None if evaluated is None else flatten(evaluated))
    return visited


def difference(a, b):
    """Largest difference between two runs, relative to the largest coordinate at that point."""
    worst = 0.0
    for step in POINTS:
        for u, v in zip(a[step], b[step]):
            if u is not None:
                worst = max(worst, np.max(np.abs(u - v)) / max(np.max(np.abs(v)), 1e-300))
    return worst


def package_settings(kind, settings):
    """MARS alone differs from its package in the place of eps: compare in the package's dialect."""
    return {**settings, "_package_eps": True} if kind == "mars" else settings


def check(kind, case, problem):
    """The case's trajectory, with its distance from the package and its sensitivity to rounding."""
    name, problem_name, settings, factors = (*case, None)[:4]
    start = problems.split(problem["start"], problem)

    def follow(make, settings, noise=None):
        lr = settings["lr"]
        return run(make(kind, settings, start), problem_name, problem, lr, factors, noise)

    ours = follow(rules.make, settings)
    shaken = difference(follow(rules.make, settings, np.random.default_rng(1)), ours)
    package, apart = None, None
    if references.build(kind, settings, start) is not None:
        package = follow(references.build, settings)
        apart = difference(follow(rules.make, package_settings(kind, settings)), package)
    label = f"{kind} {problem_name}_{name}"
    assert (
        apart is None or apart < AGREE
    ), f"{label}: package and transcription differ by {apart:.1e}"
    assert shaken < STEADY, f"{label}: rounding grows to {shaken:.1e}"
    moved = difference(ours, {step: (flatten(start), flatten(start)) for step in POINTS})
    assert moved > 1e-3 or name == "freeze_all", f"{label}: nothing moves"
    visited = ours if package is None or kind == "mars" else package
    return as_json(case, settings, factors, visited), apart, shaken


def as_json(case, settings, factors, visited):
    """The case as the Rust tests read it."""
    out = {
        "name": f"{case[1]}_{case[0]}",
        "problem": case[1],
        "settings": settings,
        "lr_factors": factors,
        "steps": POINTS[-1],
        "train": {str(k): v[0].tolist() for k, v in visited.items()},
    }
    if visited[POINTS[0]][1] is not None:
        out["eval"] = {str(k): v[1].tolist() for k, v in visited.items()}
    return out


def write(kind, cases):
    """One line a check point keeps the files small and their diffs readable."""
    text = json.dumps(
        {"kind": kind, "reference": references.REFERENCE[kind], "cases": cases}, allow_nan=False
    )
    for mark in ('{"name"', '"train"', '"eval"', *(f'"{p}": [' for p in POINTS)):
        text = text.replace(mark, "\n" + mark)
    (OUT / f"{kind}.json").write_text(text + "\n")


def check_coverage():
    """Every kind meets three problems and a warmup, and every key leaves its default."""
    for kind, cases in CASES.items():
        assert {case[1] for case in cases} >= {"quadratic", "rosenbrock", "mlp"}, kind
        assert any(case[3:] for case in cases), f"{kind}: no warmup"
        for key, default in rules.DEFAULTS[kind].items():
            seen = [case[2].get(key, default) for case in cases]
            assert any(value != default for value in seen), f"{kind}: {key} is never set"


def check_schedule_free_twins(all_problems):
    """The package's fast classes and its slow Reference classes are the same algorithm."""
    for kind in ("schedule_free_sgd", "schedule_free_adamw"):
        for case in CASES[kind]:
            name, problem_name, settings, factors = (*case, None)[:4]
            problem = all_problems[problem_name]
            start = problems.split(problem["start"], problem)
            h = rules.with_defaults(kind, settings)
            if h.beta == 0:
                continue
            slow = references.build_schedule_free_kind(kind, h, start, reference=True)
            a = run(slow, problem_name, problem, h.lr, factors)
            b = run(rules.make(kind, settings, start), problem_name, problem, h.lr, factors)
            assert difference(a, b) < AGREE, (kind, name)


def check_optax_schedule_free():
    """The values printed in optax's docstrings: f = sum x^2 from (1, 2, 3), at lr = 1."""
    expected = {
        "schedule_free_sgd": [14.0, 0.0, 0.996, 0.806, 0.241],
        "schedule_free_adamw": [5.00, 3.05, 1.73, 0.894, 0.413],
    }
    for kind, values in expected.items():
        makers = {
            "schedule_free_sgd": references.optax.contrib.schedule_free_sgd,
            "schedule_free_adamw": references.optax.contrib.schedule_free_adamw,
        }
        solver = makers[kind](learning_rate=1.0)
        params = references.jax.numpy.array([1.0, 2.0, 3.0])
        state = solver.init(params)
        ours = rules.make(kind, {"lr": 1.0}, [np.array([1.0, 2.0, 3.0])])
        for value in values:
            updates, state = solver.update(2 * params, state, params)
            params = references.optax.apply_updates(params, updates)
            ours.step([2 * y for y in ours.train_point()], 1.0)
            theirs = references.optax.contrib.schedule_free_eval_params(state, params)
            # optax starts at 2e-8 instead of 0 for the weights, hence 1e-6 and not 1e-12.
            assert np.allclose(ours.eval_point()[0], theirs, atol=1e-6), (
                kind,
                ours.eval_point(),
                theirs,
            )
            assert np.isclose(np.sum(ours.eval_point()[0] ** 2), value, rtol=5e-3, atol=1e-9), (
                kind,
                value,
            )


def check_prodigy_in_the_wrapper():
    """f = sum c x^2 / 2 at x after 20 updates at Prodigy's defaults, as a test in Rust has it."""
    curvature = np.array([1.0, 10.0, 0.1])
    settings = {"lr": 1.0, "base": {"kind": "prodigy"}}
    values = []
    for make in (references.build, rules.make):
        optimizer = make("schedule_free", settings, [np.array([1.0, -2.0, 3.0])])
        for _ in range(20):
            optimizer.step([curvature * y for y in optimizer.train_point()], 1.0)
        values.append(0.5 * np.sum(curvature * optimizer.eval_point()[0] ** 2))
    assert np.allclose(values, 7.405200, rtol=0, atol=5e-7), values
    return values


def check_bfloat16_muon(all_problems):
    """Our float64 Muon against torch's as shipped: equal up to bfloat16.

    On a gradient of full rank, that is: five Newton-Schulz steps blow the rounding of a vanishing
    singular value up some 500 times.
    """
    problem = all_problems["matrix"]
    start = problems.split(problem["start"], problem)
    _, grads = problems.gradients("matrix", start, problem)
    shipped = references.build_muon(rules.with_defaults("muon", {}), start, bfloat16=True)
    ours = rules.make("muon", {}, start)
    for optimizer in (shipped, ours):
        optimizer.step(grads, 0.02)
    worst = 0.0
    for before, a, b in zip(start, shipped.train_point(), ours.train_point()):
        worst = max(worst, np.max(np.abs(a - b)) / np.max(np.abs(b - before)))
    assert worst < 0.03, worst
    return worst


def main():
    """Check and write the kinds named on the command line, or all."""
    all_problems = problems.load()
    OUT.mkdir(exist_ok=True)
    kinds = sys.argv[1:] or list(CASES)
    assert set(CASES) == set(rules.DEFAULTS) == set(references.REFERENCE)
    check_coverage()
    failures = []
    for kind in kinds:
        written, apart_worst, shaken_worst = [], 0.0, 0.0
        for case in CASES[kind]:
            try:
                out, apart, shaken = check(kind, case, all_problems[case[1]])
            except AssertionError as error:
                failures.append(str(error))
                continue
            written.append(out)
            apart_worst, shaken_worst = max(apart_worst, apart or 0.0), max(shaken_worst, shaken)
        write(kind, written)
        found = f"package {apart_worst:.1e}  rounding {shaken_worst:.1e}"
        print(f"{kind:20} {len(written):2} cases  {found}")
    golden.check()
    check_schedule_free_twins(all_problems)
    check_optax_schedule_free()
    package, transcribed = check_prodigy_in_the_wrapper()
    print(f"prodigy in the wrapper: {package:.9f}, transcribed {transcribed:.9f}")
    narrow = check_bfloat16_muon(all_problems)
    print(f"muon: bfloat16 as shipped differs from float64 by {narrow:.1e} of a step")
    assert not failures, "\n".join(failures)


if __name__ == "__main__":
    main()
