"""How people justify a search: in full, plainly, tersely, in stock phrases, or on a form with the gaps filled in."""

from __future__ import annotations

from random import Random

_WHO = ("man", "woman", "two young men", "driver", "passenger", "customer", "visitor", "person in a red coat", "youth")
_WHAT = (
    "left without paying",
    "struck the clerk",
    "forced the back door",
    "paid with a stolen card",
    "took the bicycle",
    "set fire to the bin",
    "followed the complainant",
    "sold the counterfeit tickets",
    "drove away from the collision",
    "threw the bottle",
    "opened the account",
    "withdrew the money",
    "broke the window",
    "removed the parcel",
)
_WHERE = (
    "the chemist in Mill Lane",
    "the station kiosk",
    "the night bus",
    "the museum shop",
    "the branch in King Street",
    "the car park behind the hall",
    "the harbour office",
    "the school gate",
    "the tram stop at the market",
    "the supermarket by the ring road",
    "the post office",
    "the stadium's east stand",
    "the flat above the bakery",
)
_FROM = ("camera 3", "the shop's recording", "the bus camera", "the complainant's film", "the door camera", "stills")


def justification(rng: Random, style: str) -> str:
    """A purpose, particular to its case as far as the style goes."""
    who, what, where, origin = rng.choice(_WHO), rng.choice(_WHAT), rng.choice(_WHERE), rng.choice(_FROM)
    if style == "full":
        again = rng.choice(
            ("needed before the interview", "other enquiries gave no name", "the owner does not know them")
        )
        return f"Name the {who} who {what} at {where}, seen on {origin}; {again}."
    if style == "plain":
        return f"The {who} who {what} at {where}, from {origin}"
    if style == "stock":
        return f"{rng.choice(_STOCK)}, {where}"
    if style == "terse":
        return f"{who}, {what}, {where}"
    return f"To identify the {who} shown in {origin} in connection with an offence at {where}, where somebody {what}."


_STOCK = ("Shop theft, person on camera", "Damage, person on camera", "Assault, person on camera")

LAZY = (
    "Identify suspect",
    "Intelligence purposes",
    "Ongoing investigation, identification required",
    "As discussed with supervisor, identification of subject needed",
    "Operational need, see case file",
)
"""What is written when nothing is to be said."""
