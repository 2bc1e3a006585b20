"""Kinds by family: each file holds their defaults, transcriptions, references and cases.

A family gives `DEFAULTS` (kind -> settings), `RULES` (kind -> what makes a transcription, as
`rules.make` does: a rule of one tensor, or a class of `(h, params)`), `REFERENCE` (kind -> who is
followed), `BUILDERS` (kind -> the package's optimizer of `(h, params)`) and `CASES`. A kind without
a builder has no package that runs here.
"""

import cases
import references
import rules

from . import adams, momenta, signs

for family in (signs, momenta, adams):
    assert set(family.DEFAULTS) == set(family.RULES) == set(family.CASES) == set(family.REFERENCE)
    rules.DEFAULTS.update(family.DEFAULTS)
    rules.RULES.update(family.RULES)
    references.REFERENCE.update(family.REFERENCE)
    references.BUILDERS.update({kind: None for kind in family.DEFAULTS} | family.BUILDERS)
    cases.CASES.update(family.CASES)
