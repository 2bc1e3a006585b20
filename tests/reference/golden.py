"""Points which the project was given before any of this was written: f = sum x^2 from (1, -2, 3).

They were computed by other code than `rules.py`, so they guard against both sides sharing a
mistake.
"""

import numpy as np

import rules

DECAY = {"lr": 0.1, "weight_decay": 0.01}
WARMUP = {**DECAY, "warmup": 3}
SGD_PHASE = {"lr": 0.1, "silent_sgd_phase": False}
AUTHOR = {**DECAY, "variant": "author"}

# kind, settings, updates, where the next gradient is taken
GOLDEN = [
    ("schedule_free_sgd", WARMUP, 6, [0.4708724027, -0.9417448054, 1.412617208]),
    ("schedule_free_adamw", WARMUP, 6, [0.6847869904, -1.669259502, 2.662006372]),
    (
        "schedule_free_adamw",
        {**WARMUP, "r": 0.75, "beta": 0.95},
        6,
        [0.6646139689, -1.64675663, 2.638599406],
    ),
    ("schedule_free_radam", {"lr": 0.1}, 4, [1.0, -2.0, 3.0]),
    ("schedule_free_radam", {"lr": 0.1}, 8, [0.9915672337, -1.991557866, 2.991554745]),
    ("schedule_free_radam", SGD_PHASE, 8, [0.4611702911, -0.9251955728, 1.389222133]),
    ("radam", AUTHOR, 5, [1.0, -2.0, 3.0]),
    ("radam", AUTHOR, 8, [0.9872841806, -1.984286231, 2.981288915]),
    (
        "radam",
        {**AUTHOR, "degenerate_to_sgd": True},
        8,
        [0.1911766121, -0.3898891409, 0.588604456],
    ),
    ("radam", DECAY, 8, [0.1910486974, -0.3896363001, 0.5882266916]),
    (
        "radam",
        {**DECAY, "decay": "decoupled"},
        8,
        [0.1911766121, -0.3898891409, 0.588604456],
    ),
    ("adam_2k", {"lr": 0.1, "freeze_steps": 3}, 6, [0.8683307231, -1.867498371, 2.867225804]),
]


def check():
    """Every golden point, to the ten digits in which it was printed."""
    for kind, settings, updates, expected in GOLDEN:
        optimizer = rules.make(kind, settings, [np.array([1.0, -2.0, 3.0])])
        for _ in range(updates):
            optimizer.step([2 * y for y in optimizer.train_point()], settings["lr"])
        ours = optimizer.train_point()[0]
        assert np.allclose(ours, expected, rtol=2e-9, atol=0), (kind, settings, ours, expected)
