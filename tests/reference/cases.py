"""Which settings are compared: every key away from its default at least once, on every problem.

A case is (name, problem, settings) or (name, problem, settings, "warmup10"). Rates are small
enough that rounding does not grow: `trajectories.py` measures that too.
"""

Q, R, M, W = "quadratic", "rosenbrock", "mlp", "matrix"
WARM = "warmup10"


def base(kind, **keys):
    return {"kind": kind, **keys}


CASES = {
    "sgd": [
        ("plain", Q, {"lr": 0.1}),
        ("momentum_l2", Q, {"lr": 0.03, "momentum": 0.9, "weight_decay": 0.1}),
        (
            "nesterov_decoupled",
            Q,
            {
                "lr": 0.05,
                "momentum": 0.8,
                "nesterov": True,
                "weight_decay": 0.2,
                "decay": "decoupled",
            },
            WARM,
        ),
        ("dampening", R, {"lr": 5e-4, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.01}),
        ("nesterov", R, {"lr": 2e-4, "momentum": 0.9, "nesterov": True}),
        ("plain", M, {"lr": 0.1, "weight_decay": 0.01}),
        (
            "nesterov_l2",
            M,
            {"lr": 0.02, "momentum": 0.9, "nesterov": True, "weight_decay": 0.05},
            WARM,
        ),
        (
            "momentum_decoupled",
            M,
            {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.1, "decay": "decoupled"},
        ),
    ],
    "adam": [
        ("defaults", Q, {"lr": 1e-3}),
        ("l2", Q, {"lr": 0.05, "beta1": 0.8, "beta2": 0.95, "weight_decay": 0.1}),
        ("amsgrad", R, {"lr": 0.01, "amsgrad": True, "beta2": 0.9}),
        (
            "decoupled",
            R,
            {"lr": 0.01, "weight_decay": 0.3, "decay": "decoupled", "eps": 1e-4},
            WARM,
        ),
        (
            "l2",
            M,
            {"lr": 0.01, "weight_decay": 0.05, "beta1": 0.95, "beta2": 0.99, "eps": 1e-6},
            WARM,
        ),
        (
            "amsgrad_decoupled",
            M,
            {"lr": 0.01, "amsgrad": True, "beta2": 0.9, "weight_decay": 0.1, "decay": "decoupled"},
        ),
    ],
    "adamw": [
        ("defaults", Q, {"lr": 1e-3}),
        ("decay", Q, {"lr": 0.05, "beta1": 0.8, "weight_decay": 0.3}),
        ("decay", R, {"lr": 0.01, "beta2": 0.95, "weight_decay": 0.1, "eps": 1e-6}),
        ("decay", M, {"lr": 0.01, "weight_decay": 0.1, "beta1": 0.95, "beta2": 0.99}, WARM),
        ("amsgrad", M, {"lr": 0.01, "weight_decay": 0.05, "amsgrad": True, "beta2": 0.9}),
    ],
    "nadam": [
        ("l2", Q, {"lr": 0.05, "weight_decay": 0.1}),
        (
            "decoupled",
            Q,
            {"lr": 0.02, "weight_decay": 0.2, "decay": "decoupled", "momentum_decay": 0.02},
        ),
        ("betas", R, {"lr": 0.01, "beta1": 0.8, "beta2": 0.95, "eps": 1e-6}),
        ("l2", M, {"lr": 0.01, "weight_decay": 0.05, "momentum_decay": 0.01}, WARM),
        ("decoupled", M, {"lr": 0.005, "weight_decay": 0.1, "decay": "decoupled", "beta2": 0.99}),
    ],
    "adamax": [
        ("defaults", Q, {"lr": 2e-3}),
        ("l2", Q, {"lr": 0.05, "weight_decay": 0.1, "beta1": 0.8, "beta2": 0.95}),
        ("eps", R, {"lr": 0.01, "eps": 1e-3, "beta2": 0.9}),
        ("l2", M, {"lr": 0.01, "weight_decay": 0.05}, WARM),
    ],
    "adagrad": [
        ("l2", Q, {"lr": 0.2, "weight_decay": 0.1}),
        ("lr_decay", Q, {"lr": 0.3, "lr_decay": 0.05, "initial_accumulator_value": 0.5}),
        ("eps", R, {"lr": 0.05, "eps": 1e-4, "lr_decay": 0.01}),
        ("l2", M, {"lr": 0.05, "weight_decay": 0.05, "initial_accumulator_value": 0.1}, WARM),
    ],
    "adadelta": [
        ("defaults", Q, {"lr": 1.0}),
        ("l2", Q, {"lr": 2.0, "rho": 0.8, "eps": 1e-4, "weight_decay": 0.1}),
        ("eps", R, {"lr": 0.5, "rho": 0.95, "eps": 1e-5}),
        ("l2", M, {"lr": 1.0, "weight_decay": 0.05, "eps": 1e-4}, WARM),
    ],
    "rmsprop": [
        ("defaults", Q, {"lr": 0.01}),
        ("momentum_l2", Q, {"lr": 0.005, "momentum": 0.9, "weight_decay": 0.1}),
        (
            "centered",
            Q,
            {"lr": 0.005, "alpha": 0.9, "centered": True, "eps": 1e-2, "weight_decay": 0.05},
        ),
        ("plain", R, {"lr": 0.002, "alpha": 0.95, "eps": 1e-4}),
        ("momentum_l2", M, {"lr": 0.001, "momentum": 0.9, "weight_decay": 0.05}, WARM),
        (
            "centered_momentum",
            M,
            {"lr": 0.001, "centered": True, "momentum": 0.8, "alpha": 0.9, "eps": 1e-3},
        ),
    ],
    "radam": [
        ("torch_l2", Q, {"lr": 0.05, "weight_decay": 0.1}),
        (
            "torch_decoupled",
            Q,
            {"lr": 0.02, "beta2": 0.95, "weight_decay": 0.2, "decay": "decoupled"},
        ),
        ("author", Q, {"lr": 0.1, "variant": "author", "weight_decay": 0.1}),
        (
            "author_sgd",
            Q,
            {
                "lr": 0.1,
                "variant": "author",
                "degenerate_to_sgd": True,
                "weight_decay": 0.1,
                "beta2": 0.98,
            },
        ),
        ("torch", R, {"lr": 2e-4, "beta1": 0.8, "beta2": 0.9, "eps": 1e-6}),
        ("author", R, {"lr": 0.01, "variant": "author", "beta2": 0.95, "eps": 1e-6}, WARM),
        ("torch_l2", M, {"lr": 0.02, "weight_decay": 0.05, "beta2": 0.99}, WARM),
        ("torch_decoupled", M, {"lr": 0.02, "weight_decay": 0.1, "decay": "decoupled"}),
        ("author", M, {"lr": 0.02, "variant": "author", "weight_decay": 0.1, "beta2": 0.99}, WARM),
        (
            "author_sgd",
            M,
            {"lr": 0.02, "variant": "author", "degenerate_to_sgd": True, "weight_decay": 0.1},
        ),
    ],
    "adam_2k": [
        ("freeze3", Q, {"lr": 0.1, "freeze_steps": 3}),
        ("freeze5_decay", Q, {"lr": 0.05, "freeze_steps": 5, "weight_decay": 0.2, "beta2": 0.98}),
        ("freeze5", R, {"lr": 0.01, "freeze_steps": 5, "beta1": 0.8, "eps": 1e-4}),
        ("freeze5_decay", M, {"lr": 0.01, "freeze_steps": 5, "weight_decay": 0.1}, WARM),
        ("freeze_all", Q, {"lr": 0.1, "weight_decay": 0.2}),
    ],
    "adafactor": [
        ("defaults", Q, {"lr": 0.01}),
        (
            "decay",
            Q,
            {"lr": 0.05, "weight_decay": 0.2, "beta2_decay": -0.6, "d": 2.0, "eps2": 0.05},
        ),
        ("eps", R, {"lr": 0.01, "eps1": 1e-6, "eps2": 1e-2}),
        ("factored", W, {"lr": 0.05, "weight_decay": 0.1}),
        (
            "factored",
            M,
            {"lr": 0.03, "weight_decay": 0.1, "eps1": 1e-5, "eps2": 0.1, "d": 1.5},
            WARM,
        ),
        ("factored_defaults", M, {"lr": 0.01}),
    ],
    "muon": [
        (
            "adamw_only",
            Q,
            {
                "lr": 0.02,
                "adamw_lr": 0.05,
                "adamw_beta1": 0.8,
                "adamw_beta2": 0.9,
                "weight_decay": 0.1,
            },
        ),
        ("adamw_only", R, {"lr": 0.02, "adamw_lr": 0.01, "adamw_eps": 1e-6}),
        ("original", W, {"lr": 0.02}),
        (
            "match_rms_adamw",
            W,
            {
                "lr": 0.02,
                "adjust_lr": "match_rms_adamw",
                "eps": 2.0,
                "nesterov": False,
                "momentum": 0.8,
                "weight_decay": 0.2,
            },
        ),
        ("original", M, {"lr": 0.01, "weight_decay": 0.1, "adamw_lr": 3e-3}, WARM),
        (
            "spectral_unclamped",
            M,
            {
                "lr": 0.01,
                "adjust_lr": "spectral_unclamped",
                "ns_steps": 3,
                "nesterov": False,
                "momentum": 0.9,
            },
        ),
    ],
    "schedule_free_sgd": [
        ("defaults", Q, {"lr": 0.2}),
        ("warmup_decay", Q, {"lr": 0.1, "warmup": 8, "weight_decay": 0.1, "beta": 0.95}),
        ("r", R, {"lr": 1e-3, "r": 0.75, "weight_lr_power": 1.0, "warmup": 5}),
        ("decay", M, {"lr": 0.3, "weight_decay": 0.02, "beta": 0.8, "weight_lr_power": 0.0}, WARM),
        ("warmup_r", M, {"lr": 0.3, "warmup": 20, "r": 1.0, "weight_decay": 0.02}),
        ("small_beta", Q, {"lr": 0.1, "beta": 0.05, "weight_decay": 0.1, "warmup": 4}),
        ("beta_0", M, {"lr": 0.1, "beta": 0.0, "weight_decay": 0.02}, WARM),
    ],
    "schedule_free_adamw": [
        ("defaults", Q, {"lr": 2.5e-3}),
        (
            "warmup_decay",
            Q,
            {"lr": 0.1, "warmup": 8, "weight_decay": 0.1, "beta": 0.95, "beta2": 0.98},
        ),
        ("r", R, {"lr": 0.01, "r": 0.75, "weight_lr_power": 1.0, "eps": 1e-6}),
        ("decay", M, {"lr": 0.02, "weight_decay": 0.1, "beta": 0.8, "weight_lr_power": 0.0}, WARM),
        ("warmup_r", M, {"lr": 0.02, "warmup": 20, "r": 1.0, "weight_decay": 0.1, "beta": 0.98}),
        ("small_beta", M, {"lr": 0.02, "weight_decay": 0.1, "beta": 0.05}, WARM),
        ("beta_0", Q, {"lr": 0.05, "beta": 0.0, "warmup": 5}),
    ],
    "schedule_free_radam": [
        ("silent", Q, {"lr": 0.1, "weight_decay": 0.1}),
        (
            "sgd_phase",
            Q,
            {"lr": 0.05, "silent_sgd_phase": False, "beta2": 0.95, "weight_decay": 0.05},
        ),
        ("sgd_phase", R, {"lr": 2e-4, "silent_sgd_phase": False, "beta2": 0.9, "eps": 1e-6}),
        (
            "silent",
            M,
            {"lr": 0.05, "weight_decay": 0.1, "beta": 0.95, "beta2": 0.99, "r": 0.5},
            WARM,
        ),
        (
            "sgd_phase",
            M,
            {
                "lr": 0.05,
                "silent_sgd_phase": False,
                "beta2": 0.98,
                "weight_lr_power": 1.0,
                "weight_decay": 0.02,
            },
        ),
    ],
    "schedule_free": [
        (
            "sgd_momentum",
            Q,
            {"lr": 0.005, "base": base("sgd", momentum=0.9, weight_decay=0.05), "beta": 0.95},
        ),
        (
            "adamw",
            Q,
            {"lr": 0.05, "base": base("adamw", beta1=0.0, weight_decay=0.1), "weight_decay": 0.05},
        ),
        ("radam", Q, {"lr": 0.05, "base": base("radam", beta2=0.95, weight_decay=0.1), "r": 0.75}),
        (
            "rmsprop",
            Q,
            {"lr": 0.01, "base": base("rmsprop", alpha=0.9, momentum=0.5), "weight_lr_power": 0.0},
        ),
        ("adamw", R, {"lr": 0.01, "base": base("adamw", beta1=0.5)}),
        (
            "sgd_nesterov",
            M,
            {
                "lr": 0.05,
                "base": base("sgd", momentum=0.9, nesterov=True),
                "weight_decay": 0.02,
            },
            WARM,
        ),
        ("adamw", M, {"lr": 0.01, "base": base("adamw", beta1=0.9, weight_decay=0.1), "beta": 0.8}),
        ("radam", M, {"lr": 0.02, "base": base("radam", beta2=0.99), "weight_decay": 0.1}),
        ("rmsprop", M, {"lr": 0.002, "base": base("rmsprop", centered=True, eps=1e-3)}, WARM),
        ("prodigy", Q, {"lr": 1.0, "base": base("prodigy", d0=1e-3)}),
        (
            "prodigy_decay",
            M,
            {
                "lr": 0.5,
                "base": base("prodigy", d0=1e-2, bias_correction=True, weight_decay=0.05),
                "weight_decay": 0.02,
                "r": 0.5,
            },
            WARM,
        ),
        ("small_beta", Q, {"lr": 0.05, "base": base("adamw", beta2=0.95), "beta": 0.05}),
        ("beta_0", M, {"lr": 0.1, "base": base("sgd"), "beta": 0.0, "weight_decay": 0.02}, WARM),
    ],
    "lion": [
        ("defaults", Q, {"lr": 1e-4}),
        ("decay", Q, {"lr": 0.01, "beta1": 0.95, "beta2": 0.98, "weight_decay": 0.5}),
        ("plain", R, {"lr": 1e-3, "beta2": 0.9}),
        ("decay", M, {"lr": 2e-3, "weight_decay": 0.5}, WARM),
    ],
    "adan": [
        ("defaults", Q, {"lr": 1e-3}),
        ("prox", Q, {"lr": 0.05, "beta1": 0.9, "beta2": 0.8, "beta3": 0.95, "weight_decay": 0.2}),
        ("no_prox", R, {"lr": 0.01, "weight_decay": 0.1, "no_prox": True, "eps": 1e-6}),
        ("prox", M, {"lr": 0.01, "weight_decay": 0.1}, WARM),
        ("no_prox", M, {"lr": 0.01, "weight_decay": 0.1, "no_prox": True, "beta1": 0.9}),
    ],
    "ademamix": [
        ("defaults", Q, {"lr": 1e-3}),
        (
            "warmup_decay",
            Q,
            {
                "lr": 0.02,
                "beta3": 0.99,
                "alpha": 2.0,
                "alpha_warmup": 50,
                "beta3_warmup": 50,
                "weight_decay": 0.2,
            },
        ),
        (
            "betas",
            R,
            {"lr": 5e-3, "beta1": 0.8, "beta2": 0.95, "beta3": 0.98, "alpha": 3.0, "eps": 1e-6},
        ),
        (
            "warmup_decay",
            M,
            {
                "lr": 5e-3,
                "beta3": 0.999,
                "alpha": 8.0,
                "alpha_warmup": 200,
                "beta3_warmup": 200,
                "weight_decay": 0.1,
            },
            WARM,
        ),
    ],
    "adopt": [
        ("defaults", Q, {"lr": 1e-3}),
        ("l2", Q, {"lr": 0.03, "beta1": 0.8, "beta2": 0.99, "weight_decay": 0.1, "eps": 1e-3}),
        (
            "decoupled_unclipped",
            R,
            {"lr": 5e-3, "clip": False, "beta2": 0.9, "weight_decay": 0.1, "decay": "decoupled"},
        ),
        (
            "decoupled",
            M,
            {"lr": 0.01, "weight_decay": 0.1, "decay": "decoupled", "beta2": 0.95},
            WARM,
        ),
        ("l2", M, {"lr": 0.01, "weight_decay": 0.05}),
    ],
    "lamb": [
        ("defaults", Q, {"lr": 1e-3}),
        ("decay", Q, {"lr": 0.02, "beta1": 0.8, "beta2": 0.95, "weight_decay": 0.1}),
        ("eps", R, {"lr": 5e-3, "eps": 1e-3}),
        ("decay", M, {"lr": 0.02, "weight_decay": 0.1}, WARM),
    ],
    "soap": [
        ("vector", Q, {"lr": 0.05, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.1}),
        ("vector_uncorrected", R, {"lr": 3e-3, "correct_bias": False, "weight_decay": 0.0}),
        ("both_sides", W, {"lr": 0.02, "eps": 1e-3}),
        (
            "every_step",
            W,
            {
                "lr": 0.02,
                "precondition_frequency": 1,
                "beta1": 0.9,
                "shampoo_beta": 0.9,
                "weight_decay": 0.2,
                "eps": 1e-2,
            },
        ),
        (
            "left_side",
            W,
            {
                "lr": 0.02,
                "max_precondition_dim": 3,
                "precondition_frequency": 5,
                "correct_bias": False,
            },
        ),
        (
            "last_layer",
            M,
            {"lr": 0.01, "max_precondition_dim": 4, "weight_decay": 0.1, "eps": 1e-4},
            WARM,
        ),
    ],
    "prodigy": [
        ("defaults", Q, {"lr": 1.0}),
        (
            "decay",
            Q,
            {
                "lr": 0.5,
                "d_coef": 2.0,
                "beta2": 0.99,
                "weight_decay": 0.1,
                "bias_correction": True,
                "d0": 1e-3,
            },
        ),
        ("growth_rate", R, {"lr": 0.3, "growth_rate": 1.02, "d0": 1e-2, "beta3": 0.9, "eps": 1e-6}),
        (
            "safeguard",
            M,
            {"lr": 0.5, "safeguard_warmup": True, "d0": 1e-2, "weight_decay": 0.05},
            WARM,
        ),
        ("bias_correction", M, {"lr": 0.5, "bias_correction": True, "d0": 1e-3, "beta1": 0.95}),
    ],
    "mars": [
        ("defaults", Q, {"lr": 3e-3}),
        (
            "optimize_1d",
            Q,
            {"lr": 0.03, "optimize_1d": True, "gamma": 0.05, "weight_decay": 0.1, "beta1": 0.9},
        ),
        ("lion_1d", R, {"lr": 1e-3, "optimize_1d": True, "variant": "lion"}),
        ("optimize_1d", R, {"lr": 0.01, "optimize_1d": True, "beta2": 0.95, "eps": 1e-6}),
        (
            "adamw",
            M,
            {
                "lr": 0.01,
                "weight_decay": 0.1,
                "lr_1d": 0.02,
                "weight_decay_1d": 0.05,
                "beta1_1d": 0.8,
            },
            WARM,
        ),
        ("lion", M, {"lr": 1e-3, "variant": "lion", "gamma": 0.1, "beta2_1d": 0.99}),
    ],
    "adabelief": [
        ("defaults", Q, {"lr": 1e-3}),
        (
            "l2_amsgrad",
            Q,
            {
                "lr": 0.03,
                "amsgrad": True,
                "beta2": 0.9,
                "eps": 1e-8,
                "weight_decay": 0.1,
                "decay": "l2",
            },
        ),
        ("betas", R, {"lr": 5e-3, "beta1": 0.8, "beta2": 0.95, "eps": 1e-6}),
        ("decay", M, {"lr": 0.01, "weight_decay": 0.1}, WARM),
        ("l2", M, {"lr": 5e-3, "weight_decay": 0.05, "decay": "l2", "eps": 1e-10}),
    ],
}
