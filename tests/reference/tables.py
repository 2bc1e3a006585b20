"""Writes tests/tables/*.csv from the datasets that scikit-learn ships (see requirements.txt)."""
import csv
import os

from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

LICENCE = "scikit-learn 1.9.1, BSD-3-Clause"
SOURCES = {
    "diabetes": (load_diabetes(scaled=False), "progression", "Efron, Hastie, Johnstone and Tibshirani, Least Angle Regression, 2004"),
    "wine": (load_wine(), "cultivar", "UCI Machine Learning Repository, Wine, CC BY 4.0"),
    "breast_cancer": (load_breast_cancer(), "diagnosis", "UCI Machine Learning Repository, Breast Cancer Wisconsin, CC BY 4.0"),
}
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tables")

for name, (data, label, source) in SOURCES.items():
    with open(os.path.join(FOLDER, name + ".csv"), "w", newline="") as file:
        file.write(f"# {source}; from {LICENCE}\n")
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow([column.replace(" ", "_").replace("/", "_") for column in data.feature_names] + [label])
        names = getattr(data, "target_names", None)
        for row, target in zip(data.data, data.target):
            answer = f"{target:g}" if names is None else str(names[target])
            rows.writerow([f"{x:.10g}" for x in row] + [answer])
