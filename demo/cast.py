"""Who is searched for in the demo, with which photograph, and from which likeness on a picture counts as theirs.

The people of `openpeople` look more alike than real people do, so the demo searches only for three that stand apart,
chosen by measurement. Every picture of the demo web was compared with each person's studio portrait (pack `open`,
cosine; `python -m demo.measure` measures anew):

========  ===================================  ==========================================
person    the same person, lowest to highest   anybody else in any picture, at most
========  ===================================  ==========================================
P003      0.685 (small avatar) to 0.956        0.392
P005      0.677 (small avatar) to 0.918        0.416
P008      0.671 (thumbnail) to 0.931           0.358
========  ===================================  ==========================================

`LEAST` lies between the two, 0.13 from one and 0.12 from the other. Each of the seven people left out has a stranger
at 0.43 to 0.65 (P004 and P010 are the most alike of all). It is a figure for this one web of generated people, and no
threshold for anything else.
"""

from __future__ import annotations

from demo.people import PORTRAIT

CAST = ("P003", "P005", "P008")
"""The people searched for."""

PROBE = PORTRAIT
"""The photograph given to the search. It is on no page of the demo web."""

LEAST = 0.55
"""Least cosine at which a picture counts as showing the person."""
