"""Writes groups.json: parameter groups, as torch's optimizers have them.

The MLP of `problems.json` under torch's SGD and AdamW with two groups or three, and under one optimizer beside another.
`groups` is what a config says; the last of `torch` takes what the groups before it leave.

Run `python groups.py`; needs problems.json.
"""

import json

import torch

import problems

STEPS = 50
POINTS = [1, 2, 5, 10, 20, 50]
NAMES = ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "fc3.weight", "fc3.bias"]
BIASES = [name for name in NAMES if name.endswith("bias")]
SGD, ADAMW = torch.optim.SGD, torch.optim.AdamW

# name, settings, groups, warmup; then (class, keys, [(names, lr factor, keys of the group)]) for each optimizer
CASES = [
    (
        "sgd_biases_twice_as_fast_without_decay",
        {"kind": "sgd", "lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.05},
        [{"match": ["bias"], "weight_decay": 0.0, "lr_factor": 2.0}],
        True,
        [
            (
                SGD,
                {"momentum": 0.9, "nesterov": True, "weight_decay": 0.05},
                [(BIASES, 2.0, {"weight_decay": 0.0}), (None, 1.0, {})],
            )
        ],
    ),
    (
        "adamw_the_first_match_counts",
        {"kind": "adamw", "lr": 0.01, "weight_decay": 0.3},
        [
            {"match": ["fc1.*"], "lr_factor": 0.1},
            {"match": ["head", "bias"], "weight_decay": 0.02},
        ],
        False,
        [
            (
                ADAMW,
                {"weight_decay": 0.3},
                [
                    (["fc1.weight", "fc1.bias"], 0.1, {}),
                    (["fc2.bias", "fc3.weight", "fc3.bias"], 1.0, {"weight_decay": 0.02}),
                    (None, 1.0, {}),
                ],
            )
        ],
    ),
    (
        "adamw_decays_matrices_alone",
        {"kind": "adamw", "lr": 0.01, "weight_decay": 0.3, "decay_on": "matrices"},
        [],
        False,
        [(ADAMW, {"weight_decay": 0.3}, [(BIASES, 1.0, {"weight_decay": 0.0}), (None, 1.0, {})])],
    ),
    (
        "decay_on_matrices_within_a_group",
        {"kind": "sgd", "lr": 0.1, "weight_decay": 0.1, "decay_on": "matrices"},
        [
            {"match": ["fc1.*"], "lr_factor": 0.5},
            {"match": ["fc2.bias"], "weight_decay": 0.4},
        ],
        False,
        [
            (
                SGD,
                {"weight_decay": 0.1},
                [
                    (["fc1.bias"], 0.5, {"weight_decay": 0.0}),
                    (["fc1.weight"], 0.5, {}),
                    (["fc2.bias"], 1.0, {"weight_decay": 0.4}),
                    (["fc3.bias"], 1.0, {"weight_decay": 0.0}),
                    (None, 1.0, {}),
                ],
            )
        ],
    ),
    (
        "adamw_for_hidden_weights_beside_sgd",
        {"kind": "sgd", "lr": 0.1, "momentum": 0.5, "weight_decay": 0.01},
        [
            {
                "match": ["hidden"],
                "kind": "adamw",
                "beta1": 0.8,
                "weight_decay": 0.1,
                "lr_factor": 0.05,
            }
        ],
        True,
        [
            (
                ADAMW,
                {"betas": (0.8, 0.999), "weight_decay": 0.1},
                [(["fc1.weight", "fc2.weight"], 0.05, {})],
            ),
            (SGD, {"momentum": 0.5, "weight_decay": 0.01}, [(None, 1.0, {})]),
        ],
    ),
]


def follow(settings, warmup, optimizers, problem):
    """The points after some of the updates."""
    start = problems.split(problem["start"], problem)
    params = [torch.tensor(array, requires_grad=True) for array in start]
    left, built = dict(zip(NAMES, params)), []
    for cls, keys, groups in optimizers:
        own = [
            {"params": [left.pop(name) for name in (names or list(left))], "factor": factor, **more}
            for names, factor, more in groups
        ]
        built.append(cls(own, lr=settings["lr"], **keys))
    assert not left
    points = {}
    for t in range(STEPS):
        for optimizer in built:
            optimizer.zero_grad()
            for group in optimizer.param_groups:
                at = min(1.0, (t + 1) / 10) if warmup else 1.0
                group["lr"] = settings["lr"] * at * group["factor"]
        problems.loss("mlp", params, problem).backward()
        for optimizer in built:
            optimizer.step()
        if t + 1 in POINTS:
            points[t + 1] = torch.cat([p.detach().flatten() for p in params]).tolist()
    return points


def main():
    """Write groups.json."""
    problem, cases = problems.load()["mlp"], []
    for name, settings, groups, warmup, optimizers in CASES:
        points = follow(settings, warmup, optimizers, problem)
        case = {"name": name, "settings": settings, "groups": groups, "warmup": 10 if warmup else 0}
        cases.append({**case, "steps": STEPS, "train": points})
    text = json.dumps(cases, allow_nan=False)
    for mark in ('{"name"', '"train"', *(f'"{p}": [' for p in POINTS)):
        text = text.replace(mark, "\n" + mark)
    (problems.HERE / "groups.json").write_text(text + "\n")
    print("groups.json written:", ", ".join(case["name"] for case in cases))


if __name__ == "__main__":
    main()
