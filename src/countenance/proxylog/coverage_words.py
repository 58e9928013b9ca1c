"""What logs cover and cannot show, in sentences for people."""

from __future__ import annotations

from countenance.proxylog.coverage import Coverage, moment


def sentences(coverage: Coverage) -> list[str]:
    """The most important first. Numbers only, no names."""
    if coverage.first is None or coverage.last is None:
        return [f"No line of these logs shows its time; {_lines(coverage.rejected)} could not be read at all."]
    span = f"from {_words(coverage.first)} to {_words(coverage.last)} (UTC)"
    said = [f"The logs run {span} and have {_lines(coverage.lines)}."]
    for gap in [gap for gap in coverage.gaps if gap.unusual][:5]:
        said.append(
            f"No line was written between {_words(gap.start)} and {_words(gap.end)}; such hours usually hold about"
            f" {_lines(gap.usual)}. What happened then cannot be told."
        )
    more = sum(gap.unusual for gap in coverage.gaps) - 5
    if more > 0:
        said.append(f"{more:,} more gaps of this kind are listed.")
    if coverage.rejected:
        said.append(f"{_lines(coverage.rejected)} could not be read; each is listed with its reason.")
    if coverage.uninspected:
        said.append(
            f"{_share(coverage.uninspected)} of all lines show at most which host was reached:"
            " what was done there cannot be told from them."
        )
    found = coverage.relevant
    if found.lines:
        blind = found.tunnels + found.hosts_only
        said.append(f"Of {_lines(found.lines)} about the sites in question, {blind:,} show the host at most.")
    if found.without_user:
        said.append(f"About these sites, {_lines(found.without_user)} without a user can only be laid to an address.")
    if found.shared_address:
        said.append(
            f"About these sites, {_lines(found.shared_address)} came from addresses at which several users were seen."
        )
    if found.duplicates:
        said.append(f"About these sites, {_lines(found.duplicates)} repeated another exactly and did not count.")
    if coverage.tally.quic or found.quic:
        said.append("Some connections used QUIC, which most proxies pass on without seeing what is inside.")
    return said


def remedies(coverage: Coverage) -> list[str]:
    """What to log from now on."""
    said = []
    if coverage.tally.tunnels or coverage.tally.hosts_only:
        said.append(
            "Inspecting HTTPS to these sites, and logging method and URL, would show what was done;"
            " logging the bytes that a client sent would at least show whether a photograph can have been."
        )
    if coverage.tally.without_user:
        said.append("Making users sign in to the proxy, or a list of who had which address when, would name them.")
    if coverage.shared:
        said.append("Logging the user on shared addresses (terminals, address translation) would tell people apart.")
    if coverage.tally.quic or coverage.relevant.quic:
        said.append("Refusing UDP to port 443 would bring these connections back to the proxy.")
    if any(gap.unusual for gap in coverage.gaps):
        said.append("The logs of the missing hours, if they are kept elsewhere, would close the gaps.")
    return said


def _words(at: float) -> str:
    return moment(at).replace("T", " ").removesuffix("Z")


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count:,} lines"


def _share(share: float) -> str:
    percent = share * 100
    return "Less than 1 %" if percent < 1 else f"{percent:.0f} %" if percent <= 99 or share == 1 else "More than 99 %"
