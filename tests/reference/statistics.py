"""Known results of the statistics, from SciPy; writes statistics.json beside itself.

    python -m pip install -r tests/reference/requirements.txt
    python tests/reference/statistics.py
"""

import json
from pathlib import Path

import numpy
import scipy
from scipy import optimize, stats
from scipy.stats import qmc

SAMPLES = [
    ([0.971, 0.968, 0.975], [0.966, 0.969, 0.961]),
    ([0.52, 0.47, 0.55, 0.49, 0.51], [0.55, 0.52, 0.56, 0.53, 0.5]),
    ([1.0, 2.5], [0.5, 2.75]),
    ([3.1, 4.1, 5.9, 2.6, 5.3, 5.8, 9.7, 9.3, 2.3, 8.4], [2.7, 1.8, 2.8, 1.8, 2.8, 4.5, 9.0, 4.5, 2.35, 3.6]),
    ([0.01 * i * i - 3.0 for i in range(60)], [0.4 * i - 2.0 + 0.013 * (i % 7) for i in range(60)]),
    ([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 5.0], [0.5, 2.5, 3.0, 6.0, 20.0, 24.0, 60.0, 4.0]),
]

SHARES = [
    (3, 3, 0, 3),
    (2, 3, 0, 3),
    (1, 3, 0, 3),
    (3, 3, 1, 3),
    (4, 5, 0, 5),
    (3, 5, 0, 5),
    (2, 5, 1, 5),
    (4, 10, 0, 10),
    (5, 10, 1, 10),
    (9, 10, 8, 10),
    (3, 5, 1, 20),
    (6, 20, 1, 20),
    (7, 8, 2, 13),
    (1, 20, 0, 3),
    (12, 30, 4, 25),
]


def comparison(a, b):
    paired, welch = stats.ttest_rel(a, b), stats.ttest_ind(a, b, equal_var=False)
    d = numpy.subtract(a, b)
    interval = {level: list(paired.confidence_interval(level)) for level in (0.9, 0.95, 0.99)}
    return {
        "a": a,
        "b": b,
        "p": paired.pvalue,
        "p_above": stats.ttest_rel(a, b, alternative="greater").pvalue,
        "intervals": [[level, low, high] for level, (low, high) in interval.items()],
        "welch_p": welch.pvalue,
        "welch_freedom": welch.df,
        "welch_interval": list(welch.confidence_interval(0.95)),
        # Rounded, so that equal differences are ties on both sides.
        "wilcoxon": stats.wilcoxon(d.round(9), method="auto", correction=False).pvalue,
        "differences": d.round(9).tolist(),
    }


def power(shift, freedom, alpha):
    critical = stats.t.ppf(1 - alpha / 2, freedom)
    # Far out SciPy has no number for the other tail, which is zero there.
    return stats.nct.sf(critical, freedom, shift) + numpy.nan_to_num(stats.nct.cdf(-critical, freedom, shift))


def boschloo(x, n, y, m):
    """The p-value that x of n are no larger a share than y of m."""
    table = [[x, y], [n - x, m - y]]
    return stats.boschloo_exact(table, alternative="greater", n=512).pvalue


def evenness(n):
    """How evenly n points fill the square: the centred L2 discrepancy, less is better."""
    plastic = optimize.brentq(lambda x: x**3 - x - 1, 1, 2, xtol=1e-15)
    i = numpy.arange(1, n + 1)
    random = [qmc.discrepancy(numpy.random.default_rng(seed).random((n, 2))) for seed in range(101)]
    return {
        "n": n,
        "roberts_without_shift": qmc.discrepancy(numpy.stack([i / plastic, i / plastic**2], axis=1) % 1),
        "scrambled_sobol": numpy.median([qmc.discrepancy(qmc.Sobol(2, rng=seed).random(n)) for seed in range(101)]),
        "random": numpy.median(random),
    }


def main():
    freedoms = [1, 2, 3, 4, 7.3, 9, 29]
    quantiles = [[p, v, stats.t.ppf(p, v)] for v in freedoms for p in (0.6, 0.9, 0.95, 0.975, 0.995, 0.9999)]
    powers = [[s, v, a, power(s, v, a)] for v in (1, 1.1, 1.25, 1.4, 1.7, 2, 4, 9, 29) for s in (0.5, 2.0, 4.0) for a in (0.05, 0.01)]
    detectable = [
        [v, optimize.brentq(lambda s, v=v: power(s, v, 0.05) - 0.8, 0.1, 30, xtol=1e-12)] for v in (1, 1.25, 2, 4, 9, 29)
    ]
    p = [0.011, 0.2, 0.03, 0.004, 0.04, 0.9]
    # Holm's step-down written out: SciPy has the false discovery rate alone.
    order, holm, largest = numpy.argsort(p), [0.0] * len(p), 0.0
    for place, i in enumerate(order):
        largest = max(largest, min(1.0, p[i] * (len(p) - place)))
        holm[i] = largest
    out = {
        "versions": {"scipy": scipy.__version__, "numpy": numpy.__version__},
        "comparisons": [comparison(a, b) for a, b in SAMPLES],
        "quantiles": quantiles,
        "powers": powers,
        "detectable": detectable,
        "boschloo": [[x, n, y, m, boschloo(x, n, y, m)] for x, n, y, m in SHARES],
        "upper_spread": [[v, numpy.sqrt(v / stats.chi2.ppf(0.2, v))] for v in freedoms],
        "holm": {"p": p, "adjusted": holm},
        "evenness": [evenness(n) for n in (16, 32, 64)],
        "sample_quantiles": [[q, numpy.quantile(SAMPLES[3][0], q)] for q in (0.025, 0.25, 0.5, 0.8, 0.975)],
    }
    path = Path(__file__).with_name("statistics.json")
    path.write_text(json.dumps(out, indent=1) + "\n")


main()
