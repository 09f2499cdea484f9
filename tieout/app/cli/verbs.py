"""The verbs, and a group that imports one only when it is used.

``tieout --help`` shows the summaries that stand here, so that it imports no verb.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeVar

import click

VERBS: Final[Mapping[str, Mapping[str, str]]] = {
    "Begin": {
        "demo": "Watch it work on make-believe companies.",
        "init": "Write a starter configuration.",
        "simulate": "Serve a make-believe CRM and books on this machine.",
        "check": "Say whether configuration, mappings and accounts are right.",
        "connect": "Let a company be reached, and say which rights that needs.",
        "provision": "Make the CRM's fields that Tieout writes to.",
        "shadow": "Show what would have been invoiced beside what people invoiced.",
        "backfill": "Link deals to the invoices that people have already made.",
        "go-live": "Let a pair that only watched post from now on.",
    },
    "Work": {
        "plan": "Show what would be created, changed or voided.",
        "explain": "Show where a value comes from, and why a deal is not invoiced.",
        "approve": "Approve a plan, or a whole sheet, by its hash.",
        "reject": "Reject a plan by its hash.",
        "apply": "Send what is approved.",
        "run": "Work every pair on its schedule, or once.",
    },
    "Mend": {
        "tasks": "Show what waits for a person, and answer it.",
        "resync": "Read one record anew and plan it again.",
        "correct": "Show how an invoice differs from its deal, and correct it.",
        "reissue": "Plan a new invoice in place of one that was taken back.",
        "resume": "Let a stopped pair go on.",
        "seal": "Seal all tokens anew with a new key.",
    },
    "Prove": {
        "status": "Say how each company is, and that nothing is pending.",
        "reconcile": "Compare what was approved with both systems now.",
        "audit": "Prove that the journal is whole.",
        "ledger": "Back up or restore the ledger.",
        "mapping": "List a mapping's fields; run its tests.",
    },
}


_Function = TypeVar("_Function", bound=Callable[..., Any])


def kept_lines(function: _Function) -> _Function:
    """Keep the lines of each paragraph of a help text that has indented ones, as examples do."""
    paragraphs = inspect.cleandoc(function.__doc__ or "").split("\n\n")
    keep = "\b\n"  # click's mark for a paragraph that it must not fill
    function.__doc__ = "\n\n".join(keep * ("\n " in text) + text for text in paragraphs)
    return function


class Verbs(click.Group):
    """A group whose commands live in ``tieout.app.cli.<name>`` as ``command``."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the verbs in the order in which they are learned."""
        return [name for verbs in VERBS.values() for name in verbs]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = cmd_name.replace("-", "_")
        command: click.Command = import_module(f"tieout.app.cli.{module}").command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find the verb; say which one may have been meant."""
        if args and args[0] not in self.list_commands(ctx) and not args[0].startswith("-"):
            from difflib import get_close_matches  # noqa: PLC0415 (imported when used)

            close = get_close_matches(args[0], self.list_commands(ctx), n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            ctx.fail(f"No verb {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs by purpose, from their summaries."""
        for purpose, verbs in VERBS.items():
            with formatter.section(purpose):
                formatter.write_dl(list(verbs.items()))


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tieout", message="%(prog)s %(version)s")
@click.option(
    "--config",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="TIEOUT_CONFIG",
    default=Path("config"),
    show_default=True,
    help="The configuration's directory (or set TIEOUT_CONFIG).",
)
@click.pass_context
@kept_lines
def root(ctx: click.Context, config: Path) -> None:
    """Post won deals to the books once each, and prove that the two agree to the cent.

    Ten minutes with make-believe companies:
      tieout init                 write ./config
      tieout check                is it right?
      tieout simulate             in another terminal: serve the companies
      tieout run --once --wait    one full round
      tieout status               is anything pending?

    A day with real ones:
      tieout plan                 what would be sent, and its hash
      tieout approve HASH         yes
      tieout apply                send what is approved
      tieout tasks                what waits for a person

    Exit codes:
      0 done · 1 trouble, or an open task · 2 plan: there are changes
      3 unknowns remain · 4 paused · 64 wrong usage · 130 interrupted
    """
    ctx.obj = config
