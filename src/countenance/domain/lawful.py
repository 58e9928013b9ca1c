"""The purposes for which logs of law-enforcement processing may be read: UK Data Protection Act 2018, section 62(4)."""

from __future__ import annotations

from countenance.domain.errors import BadInput

LAWFUL = {
    "lawfulness": "verifying the lawfulness of processing",
    "self-monitoring": "self-monitoring, including the conduct of internal disciplinary proceedings",
    "integrity": "ensuring the integrity and security of personal data",
    "criminal-proceedings": "the purposes of criminal proceedings",
}
"""By code, in the words of the section."""


def check_lawful(purpose: str) -> str:
    """The purpose itself. Raises BadInput when it is none of the four."""
    if purpose not in LAWFUL:
        raise BadInput(
            "logs are read for one of four purposes, and this is none of them",
            advice=f"choose --purpose from {', '.join(LAWFUL)}",
        )
    return purpose
