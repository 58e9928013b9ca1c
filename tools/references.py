"""The generated pages of `docs/reference/`: commands, settings, errors, ledger entries.

`python -m tools.references` writes them; a test fails when they are not what the code says.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import typer.main
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "reference"
HEAD = "<!-- Written by `python -m tools.references`; do not edit. -->\n\n"


def commands() -> str:
    """Every command with its options."""
    from countenance.cli.main import app

    lines = [
        HEAD + "# Commands\n",
        "Every command takes `--json` (one object on standard output, progress and errors on standard error), also at",
        "the end of the line. Exit codes: 0 done · 1 an unexpected error, or something that does not verify · 2 what",
        "was given cannot be used · 3 a photograph holds several faces · 4 refused by a rule · 5 try again or mend the",
        "machine · 6 the home is not sound · 130 interrupted.\n",
    ]
    for name, command in sorted(_leaves("countenance", typer.main.get_command(app))):
        lines.append(f"## {name}\n")
        lines.append(_plain(command.help or "") + "\n")
        rows = [_option(parameter) for parameter in command.params if parameter.name != "help"]
        lines += ["| argument or option | what |", "| --- | --- |", *rows, ""]
    return "\n".join(lines).rstrip() + "\n"


def settings() -> str:
    """Every setting with its default."""
    from countenance.settings import Settings

    lines = [
        HEAD + "# Settings\n",
        "The first that speaks wins: a command's option, the environment, `countenance.toml` in the home, the",
        "default.\n",
        "| setting | environment | default | what |",
        "| --- | --- | --- | --- |",
        *_settings(Settings, "", "COUNTENANCE_"),
    ]
    return "\n".join(lines) + "\n"


def errors() -> str:
    """Every error that programs may meet."""
    from countenance.domain import errors as module

    kinds = {
        kind.code: kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, module.CountenanceError)
    }
    lines = [
        HEAD + "# Errors\n",
        "Codes are stable. A command prints them under `error`, the API as RFC 9457 problem details.\n",
        "| code | exit code | HTTP status | what |",
        "| --- | --- | --- | --- |",
    ]
    for code, kind in sorted(kinds.items()):
        what = _plain((kind.__doc__ or "").strip().split("\n\n")[0])
        lines.append(f"| `{code}` | {kind.exit_code} | {kind.http_status} | {what} |")
    lines += ["", "## Why a picture is not decoded\n", "| reason | what |", "| --- | --- |"]
    lines += [f"| `{reason}` | {what} |" for reason, what in sorted(module.IMAGE_REASONS.items())]
    return "\n".join(lines) + "\n"


def entries() -> str:
    """Every type of ledger entry."""
    from countenance.web.pages.words import ACTS

    lines = [
        HEAD + "# Entries of the ledger\n",
        "Every act has one, with who did it, when, and through which door. Their form: [The ledger](../ledger.md).\n",
        "| type | what happened |",
        "| --- | --- |",
        *(f"| `{kind}` | {words} |" for kind, words in sorted(ACTS.items())),
    ]
    return "\n".join(lines) + "\n"


PAGES = {"commands.md": commands, "settings.md": settings, "errors.md": errors, "entries.md": entries}


def main() -> int:
    """Write every page."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make(), encoding="utf-8")
    return 0


def _leaves(name: str, command: Any) -> list[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if not children:
        return [(name, command)]
    return [leaf for child, inner in children.items() for leaf in _leaves(f"{name} {child}", inner)]


def _option(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = f"`{(parameter.name or '').upper()}`"
    else:
        name = ", ".join(f"`{option}`" for option in [*parameter.opts, *parameter.secondary_opts])
    what = _plain(getattr(parameter, "help", None) or "")
    if parameter.required:
        what += " Required."
    return f"| {name} | {what} |"


def _settings(model: type[BaseModel], prefix: str, environment: str) -> list[str]:
    rows = []
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            rows += _settings(inner, f"{prefix}{name}.", f"{environment}{name.upper()}__")
            continue
        default = "the user's data folder" if field.default is PydanticUndefined else f"`{field.default}`"
        rows.append(f"| `{prefix}{name}` | `{environment}{name.upper()}` | {default} | {field.description} |")
    return rows


def _plain(text: str) -> str:
    return re.sub(r"\s*\n\s*", " ", text.strip()).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
