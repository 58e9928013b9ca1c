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

_WHY = (
    "The owner does not know them, and no name came up at the door.",
    "Two colleagues looked at the stills and could not say who it is.",
    "The plate led nowhere, and the shop next door has no camera.",
    "It was put to the neighbours, without a name.",
    "Nothing else links anybody to it, and the film is wiped in a week.",
    "The witness has moved away and gave no name.",
    "The description fits too many people to go by it.",
)
_WORTH = (
    "One photograph is compared once, and whoever is not the one is not kept.",
    "The harm was serious, and the comparison troubles nobody who is not alike.",
    "Asking in the street would have troubled far more people than this does.",
    "Only the collection of earlier offenders is searched, and for this one picture.",
)


def reasons(rng: Random, style: str, worth: str) -> tuple[str, str]:
    """Necessity and proportionality of a request. What made it necessary is particular to the case as far as the style
    goes; on proportionality people mostly write what they always write (`worth`)."""
    return f"{justification(rng, style)} {rng.choice(_WHY)}", worth if rng.random() < 0.85 else rng.choice(_WORTH)


def worth(rng: Random) -> str:
    """What somebody always writes on proportionality."""
    return rng.choice(_WORTH)


EMPTY = (
    "It is necessary to identify the subject for the purposes of the ongoing investigation.",
    "Intelligence suggests that the identification of this person is required at this time.",
    "As discussed with the supervisor, the person in the picture needs to be identified.",
    "There is an operational need to know who this is, see the case file for details.",
)
"""Long enough to be taken, and good for any case."""

LAZY = (
    "Identify suspect",
    "Intelligence purposes",
    "Ongoing investigation, identification required",
    "As discussed with supervisor, identification of subject needed",
    "Operational need, see case file",
)
"""What is written when nothing is to be said."""
