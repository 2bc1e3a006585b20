"""Logistic regression in numpy: `optbench run numpy_logistic.toml`, or `python numpy_logistic.py` by hand."""

import numpy as np

import optbench

CLASSES, FEATURES, BATCH = 5, 20, 32

# The data are the same in every run, so they do not depend on the seed.
source = np.random.default_rng(0)
centres = source.normal(size=(CLASSES, FEATURES))


def draw(examples):
    labels = source.integers(CLASSES, size=examples)
    return centres[labels] / 3 + source.normal(size=(examples, FEATURES)), labels


train, val, test = draw(2000), draw(1000), draw(1000)


def probabilities(weights, inputs):
    scores = inputs @ weights
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def loss_and_gradient(weights, inputs, labels):
    p, rows = probabilities(weights, inputs), np.arange(len(labels))
    loss = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    return loss, inputs.T @ p / len(labels)


def scores(weights, split):
    inputs, labels = split
    correct = probabilities(weights, inputs).argmax(axis=1) == labels
    return {"loss": loss_and_gradient(weights, inputs, labels)[0], "accuracy": correct.mean()}


run = optbench.run(steps=500, lr=0.01, optimizer="sgd", momentum=0.9)
settings = run.optimizer

# Initial weights and the order of batches depend on the seed alone: runs of one seed differ in the optimizer alone.
random = np.random.default_rng(run.seed)
weights = 0.01 * random.normal(size=(FEATURES, CLASSES))
m, v = np.zeros_like(weights), np.zeros_like(weights)

for t in range(run.steps):
    batch = random.integers(len(train[1]), size=BATCH)
    loss, gradient = loss_and_gradient(weights, train[0][batch], train[1][batch])
    if settings.kind == "sgd":
        m = settings["momentum"] * m + gradient
        direction = m
    elif settings.kind == "adam":
        beta1, beta2 = settings["beta1"], settings["beta2"]
        m = beta1 * m + (1 - beta1) * gradient
        v = beta2 * v + (1 - beta2) * gradient**2
        direction = m / (1 - beta1 ** (t + 1)) / (np.sqrt(v / (1 - beta2 ** (t + 1))) + settings["eps"])
    else:
        raise SystemExit(f"this script has no optimizer `{settings.kind}`")
    weights -= run.lr(t) * direction
    run.log(t + 1, loss)
    if run.is_due(t + 1):
        run.evaluate(t + 1, **scores(weights, val))

run.evaluate(run.steps, split="test", **scores(weights, test))
