"""The command `countenance`.

Importing this loads nothing heavy, so that help is quick: every command opens the product when it runs.
"""

from __future__ import annotations

import gc
import os
import sys

import typer
from typer.exceptions import Abort, TyperException

from countenance.cli import (
    authority,
    backup,
    breach,
    calibrate,
    erase,
    export,
    hold,
    house,
    ingest,
    inspection,
    keys,
    ledger,
    models,
    oversee,
    profile,
    proxylog,
    report,
    requests,
    retention,
    review,
    search,
    serve,
    source,
    subject,
    token,
    user,
    witness,
)
from countenance.cli.output import INTERRUPTED, Reply, failure
from countenance.domain.errors import CountenanceError

EXIT_CODES = (
    "Exit codes: 0 done · 1 an unexpected error, or something that does not verify · 2 what was given cannot be used · "
    "3 a photograph holds several faces · 4 refused by a rule · 5 try again or mend the machine · 6 the home is not "
    "sound · 130 interrupted"
)

app = typer.Typer(
    name="countenance",
    help="A face search engine that answers for itself: no authority, no search; no receipt, no result.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EXIT_CODES,
)
app.add_typer(source.app, name="source")
requests.register(authority.app)
app.add_typer(authority.app, name="authority")
app.add_typer(review.app, name="review")
app.add_typer(ledger.app, name="ledger")
app.add_typer(models.app, name="models")
app.add_typer(oversee.app, name="oversee")
app.add_typer(inspection.app, name="inspection")
app.add_typer(proxylog.app, name="proxylog")
app.add_typer(report.app, name="report")
app.add_typer(keys.app, name="keys")
app.add_typer(token.app, name="token")
app.add_typer(user.app, name="user")
app.add_typer(profile.profile_app, name="profile")
app.add_typer(profile.recovery_app, name="recovery")
app.add_typer(witness.app, name="witness")
app.add_typer(retention.app, name="retention")
app.add_typer(hold.app, name="hold")
for module in (profile, ingest, search, export, calibrate, erase, serve, house, backup, subject, breach):
    module.register(app)


def main() -> None:
    """Run, and turn whatever goes wrong into words, an exit code and, with --json, one object."""
    # Before these are loaded: the threads of matrix products and of resizing would fight with those of the models.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("RAYON_NUM_THREADS", "1")
    # Rows come and go by the hundred thousand, without cycles: looking at each 700 costs more than it frees.
    gc.set_threshold(20_000)
    reply = Reply("--json" in sys.argv[1:])
    try:
        code = app(standalone_mode=False)
        if code == INTERRUPTED:
            # Typer takes the interrupt for itself and gives back its code alone.
            raise KeyboardInterrupt
        sys.exit(code if isinstance(code, int) else 0)
    except (CountenanceError, KeyboardInterrupt, Abort) as error:
        code, problem = failure(KeyboardInterrupt() if isinstance(error, Abort) else error)
        reply.error(problem)
        sys.exit(code)
    except TyperException as error:
        # A command line that cannot be understood.
        show = getattr(error, "show", None)
        if reply.as_json or show is None:
            reply.error({"code": "usage", "message": error.format_message()})
        else:
            show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has gone; there is nobody left to tell.
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:
        # A fault of ours. Where it happened helps to mend it; what it was about may be somebody's, and stays unsaid.
        import traceback

        for place in traceback.extract_tb(error.__traceback__):
            reply.note(f"  {place.filename}:{place.lineno} in {place.name}")
        reply.error(
            {
                "code": "internal",
                "message": f"an unexpected error of this program: {type(error).__name__}",
                "advice": "please report it with the lines above; nothing was shown",
            }
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
