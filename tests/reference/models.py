"""Writes models.json: losses and gradients of small models in PyTorch, in f64.

Weights, inputs and labels are no random numbers but formulas that both sides compute, so that the file
holds results alone: element i of parameter j is sin(0.7 + 1.1 j + 2.3 i) / 2, number i of the images
sin(0.3 + 1.7 i), token i (3 i^2 + i + 1) mod vocabulary, label i (5 i + 1) mod classes.
"""
import json
import os

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def mlp(shape, classes, hidden=()):
    sizes = [shape[0] * shape[1] * shape[2], *hidden, classes]
    layers = [m for a, b in zip(sizes, sizes[1:]) for m in (nn.Linear(a, b), nn.ReLU())][:-1]
    return nn.Sequential(nn.Flatten(), *layers)


def cnn(shape, classes, channels, hidden, batch_norm=False):
    inputs, height, width = shape
    layers = []
    for outputs in channels:
        layers.append(nn.Conv2d(inputs, outputs, 3, padding=1, bias=not batch_norm))
        layers += [nn.BatchNorm2d(outputs)] if batch_norm else []
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
        inputs, height, width = outputs, height // 2, width // 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(inputs * height * width, hidden), nn.ReLU(), nn.Linear(hidden, classes))


def normed(inputs, outputs, kernel, stride):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs))


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first, self.second = normed(inputs, outputs, 3, stride), normed(outputs, outputs, 3, 1)
        self.shortcut = nn.Identity() if stride == 1 else normed(inputs, outputs, 1, stride)

    def forward(self, x):
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


def resnet(shape, classes, width, blocks):
    layers, inputs = [normed(shape[0], width, 3, 1), nn.ReLU()], width
    for group, count in enumerate(blocks):
        for i in range(count):
            stride = 2 if group > 0 and i == 0 else 1
            layers.append(Block(inputs, inputs * stride, stride))
            inputs *= stride
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))


class LanguageModel(nn.Module):
    def __init__(self, vocabulary, embedding, hidden, layers=1, tied=False):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.lstm = nn.LSTM(embedding, hidden, layers, batch_first=True)
        self.scores = nn.Linear(hidden, vocabulary)
        if tied:
            self.scores.weight = self.embedding.weight

    def forward(self, tokens):
        return self.scores(self.lstm(self.embedding(tokens))[0]).flatten(0, 1)


class Attention(nn.Module):
    def __init__(self, width, heads, rotary):
        super().__init__()
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))
        self.heads, self.rotary = heads, rotary

    def turned(self, x):
        half = x.shape[-1] // 2
        angles = torch.arange(x.shape[-2])[:, None] * 10000.0 ** (-torch.arange(half) / half)
        cos, sin, (a, b) = angles.cos(), angles.sin(), x.split(half, -1)
        return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)

    def forward(self, x):
        q, k, v = (f(x).unflatten(2, (self.heads, -1)).transpose(1, 2) for f in (self.query, self.key, self.value))
        if self.rotary:
            q, k = self.turned(q), self.turned(k)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.output(mixed.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    def __init__(self, width, hidden, activation):
        super().__init__()
        self.up = nn.Linear(width, hidden)
        if activation == "swiglu":
            self.gate = nn.Linear(width, hidden)
        self.down, self.activation = nn.Linear(hidden, width), activation

    def forward(self, x):
        if self.activation == "swiglu":
            return self.down(F.silu(self.gate(x)) * self.up(x))
        return self.down(F.gelu(self.up(x), approximate="tanh") if self.activation == "gelu" else F.relu(self.up(x)) ** 2)


class TransformerBlock(nn.Module):
    def __init__(self, width, heads, hidden, norm, activation, rotary):
        super().__init__()
        self.norm1, self.attention = norm(width), Attention(width, heads, rotary)
        self.norm2, self.mlp = norm(width), FeedForward(width, hidden, activation)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Transformer(nn.Module):
    def __init__(self, vocabulary, seq_len, layers, heads, embedding, mlp_ratio, norm, activation, position, tied):
        super().__init__()
        norm = {"layer": nn.LayerNorm, "rms": lambda width: nn.RMSNorm(width, eps=1e-5)}[norm]
        self.embedding = nn.Embedding(vocabulary, embedding)
        if position == "learned":
            self.position = nn.Embedding(seq_len, embedding)
        block = (embedding, heads, round(mlp_ratio * embedding), norm, activation, position == "rotary")
        self.blocks = nn.Sequential(*(TransformerBlock(*block) for _ in range(layers)))
        self.norm, self.head = norm(embedding), nn.Linear(embedding, vocabulary, bias=False)
        if tied:
            self.head.weight = self.embedding.weight

    def forward(self, tokens):
        x = self.embedding(tokens)
        if hasattr(self, "position"):
            x = x + self.position.weight
        return self.head(self.norm(self.blocks(x))).flatten(0, 1)


IMAGES = {  # name: (model, its keys in a config, image shape, classes, images, label smoothing)
    "logistic": ("logistic", {}, [1, 2, 3], 4, 5, 0.0),
    "mlp": ("mlp", {"hidden": [7, 5]}, [1, 3, 3], 4, 6, 0.0),
    "mlp, smoothed labels": ("mlp", {"hidden": [5]}, [2, 2, 3], 3, 6, 0.15),
    "cnn": ("cnn", {"channels": [3, 2], "hidden": 5}, [1, 9, 7], 3, 3, 0.0),
    "cnn, many channels": ("cnn", {"channels": [18, 3], "hidden": 4}, [2, 8, 9], 3, 2, 0.0),
    "cnn, wide": ("cnn", {"channels": [5, 4, 3], "hidden": 4}, [4, 8, 8], 3, 2, 0.0),
    "cnn, batch norm": ("cnn", {"channels": [3, 2], "hidden": 5, "batch_norm": True}, [1, 9, 7], 3, 3, 0.0),
    "resnet": ("resnet", {"width": 2, "blocks": [1, 2]}, [1, 7, 6], 3, 3, 0.0),
    "resnet, three groups": ("resnet", {"width": 3, "blocks": [1, 1, 1]}, [3, 6, 6], 3, 3, 0.0),
}
TEXTS = {  # name: (its keys in a config, vocabulary, rows, tokens in a row)
    "lstm_lm": ({"embedding": 3, "hidden": 4}, 5, 3, 4),
    "lstm_lm, large vocabulary": ({"embedding": 3, "hidden": 4}, 17, 2, 5),
    "lstm_lm, two layers": ({"embedding": 4, "hidden": 3, "layers": 2}, 5, 2, 6),
    "lstm_lm, tied": ({"embedding": 4, "hidden": 4, "tied": True}, 6, 3, 4),
    "lstm_lm, tied, large vocabulary": ({"embedding": 4, "hidden": 4, "tied": True, "layers": 2}, 15, 2, 5),
}
TRANSFORMERS = [  # layers, heads, width, width within the feed-forward layer over that, norm, activation, position, tied, tokens
    *(
        (1, 2 if position == "learned" else 1, 4, 1.5, norm, activation, position, tied, 5)
        for norm in ("layer", "rms")
        for activation in ("gelu", "swiglu", "relu2")
        for position in ("learned", "rotary")
        for tied in (False, True)
    ),
    (2, 2, 8, 2.0, "rms", "swiglu", "rotary", True, 7),
    (2, 3, 6, 1.0, "layer", "gelu", "learned", False, 5),
    (1, 2, 4, 1.0, "rms", "relu2", "rotary", False, 150),
]


def transformers():
    vocabulary, rows = 5, 2
    for *shape, norm, activation, position, tied, length in TRANSFORMERS:
        layers, heads, embedding, mlp_ratio = shape
        keys = {"layers": layers, "heads": heads, "embedding": embedding, "mlp_ratio": mlp_ratio, "norm": norm}
        keys |= {"activation": activation, "position": position, "tied": tied, "seq_len": length}
        i = torch.arange(rows * length)
        tokens = ((3 * i * i + i + 1) % vocabulary).reshape(rows, length)
        words = ", ".join([norm, activation, position, *["tied"][:tied]])
        case = {"name": f"transformer_lm, {layers} x {embedding}, {length} tokens, {words}", "model": "transformer_lm"}
        case |= {"keys": keys, "vocabulary": vocabulary, "length": length, "examples": rows, "label_smoothing": 0.0}
        model = Transformer(vocabulary, **keys)
        numbers = results(model, tokens, (5 * i + 1) % vocabulary, 0.0)
        numbers["logits"] = model(tokens)[: 2 * vocabulary].flatten().tolist()
        yield case | short(numbers)


def short(value):
    """Enough digits for a comparison to 1e-9."""
    if isinstance(value, dict):
        return {key: short(inner) for key, inner in value.items()}
    return [short(inner) for inner in value] if isinstance(value, list) else float(f"{value:.13g}")


def formula(tensor, j):
    with torch.no_grad():
        i = torch.arange(tensor.numel(), dtype=torch.float64)
        tensor.copy_((torch.sin(0.7 + 1.1 * j + 2.3 * i) / 2).reshape(tensor.shape))


def results(model, inputs, labels, smoothing):
    parameters = list(model.parameters())
    for j, parameter in enumerate(parameters):
        formula(parameter, j)
    loss = F.cross_entropy(model(inputs), labels, label_smoothing=smoothing)
    loss.backward()
    model.eval()  # by the running statistics after one batch, where there are some
    evaluation = F.cross_entropy(model(inputs), labels)
    return {
        "loss": loss.item(),
        "evaluation_loss": evaluation.item(),
        "gradients": [parameter.grad.flatten().tolist() for parameter in parameters],
    }


def main():
    cases = []
    builders = {"logistic": mlp, "mlp": mlp, "cnn": cnn, "resnet": resnet}
    for name, (kind, keys, shape, classes, n, smoothing) in IMAGES.items():
        model = builders[kind](shape, classes, **keys)
        inputs = torch.sin(0.3 + 1.7 * torch.arange(n * shape[0] * shape[1] * shape[2])).reshape(n, *shape)
        labels = (5 * torch.arange(n) + 1) % classes
        case = {"name": name, "model": kind, "keys": keys, "shape": shape, "classes": classes, "examples": n}
        cases.append(case | {"label_smoothing": smoothing} | results(model, inputs, labels, smoothing))
    for name, (keys, vocabulary, rows, length) in TEXTS.items():
        i = torch.arange(rows * length)
        tokens = ((3 * i * i + i + 1) % vocabulary).reshape(rows, length)
        labels = (5 * i + 1) % vocabulary
        case = {"name": name, "model": "lstm_lm", "keys": keys, "vocabulary": vocabulary, "length": length, "examples": rows}
        cases.append(case | {"label_smoothing": 0.0} | results(LanguageModel(vocabulary, **keys), tokens, labels, 0.0))
    cases += transformers()
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models.json")
    with open(path, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n")


main()
