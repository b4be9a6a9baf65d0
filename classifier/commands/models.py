"""`models`: the versions on disk."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from classifier.commands.options import DEFAULT_MODELS, Models, VersionName
from classifier.data.hub import hub_address
from classifier.evaluation.figures import METRICS, POOLING_TITLES, figure
from classifier.files import make_folder
from classifier.interruption import going_on
from classifier.registry.registry import CHAMPION, Registry
from classifier.registry.version import Version

if TYPE_CHECKING:
    from classifier.sharing.public_copy import PublicCopy

app = typer.Typer(
    help="The versions on disk: list, promote, roll back, prune, show the card; push, pull."
)

Repository = Annotated[str, typer.Argument(metavar="OWNER/NAME", help="The repository on the hub.")]

_SHOWN = ("accuracy", "macro_f1", "rating_mae")


@app.command("list")
def list_versions(models: Models = DEFAULT_MODELS) -> None:
    """All versions, oldest first, with their figures on their own holdouts."""
    console = Console()
    registry = Registry(models)
    champion = registry.champion()
    table = Table(Column("version", no_wrap=True), "trained on", box=None)
    for metric in _SHOWN:
        table.add_column(METRICS[metric].name, no_wrap=True)
    for version in registry.versions():
        is_champion = champion is not None and version.name == champion.name
        table.add_row(*_row(version, is_champion=is_champion))
    if table.row_count:
        console.print(table)
        console.print("★ the champion; figures are CLS/mean pooling.")
    else:
        console.print(f"{models} has no versions yet: python -m classifier train", highlight=False)


def _row(version: Version, *, is_champion: bool = False) -> list[str]:
    training, metrics = version.training(), version.metrics()
    encoder = (
        "stand-in" if training["encoder"]["stand_in"] else Path(training["encoder"]["name"]).name
    )
    figures = (
        "/".join(figure(metrics[pooling].get(metric)) for pooling in ("cls", "mean"))
        for metric in _SHOWN
    )
    parts = training["reviews"]["parts"]
    rows = sum(part["rows"] for part in parts.values())
    if "holdout" in training:  # that is another file's
        rows -= parts["holdout"]["rows"]
    name = f"{version.name} ★" if is_champion else version.name
    return [name, f"{rows:,} {Path(training['reviews']['source']).name}, {encoder}", *figures]


@app.command()
def promote(version: VersionName, models: Models = DEFAULT_MODELS) -> None:
    """Make a version the champion, after checking every file of it."""
    print(f"Champion: {Registry(models).promote(version).name}")


@app.command()
def rollback(models: Models = DEFAULT_MODELS) -> None:
    """Go back to the champion before this one."""
    print(f"Champion: {Registry(models).rollback().name}")


@app.command()
def prune(
    keep: Annotated[int, typer.Option(min=0, help="How many of the newest to keep.")] = 5,
    models: Models = DEFAULT_MODELS,
) -> None:
    """Delete old versions; the champion and the one a rollback would reach stay."""
    deleted = Registry(models).prune(keep)
    print("\n".join(f"Deleted {name}" for name in deleted) or "Nothing to delete.")


@app.command()
def card(version: VersionName = CHAMPION, models: Models = DEFAULT_MODELS) -> None:
    """Print a version's model card."""
    print((Registry(models).get(version).path / "README.md").read_text(encoding="utf-8"))


@app.command()
def push(
    version: VersionName,
    name: Repository,
    private: Annotated[
        bool, typer.Option("--private", help="Only you, or the organisation, can read it.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be sent, and send nothing.")
    ] = False,
    models: Models = DEFAULT_MODELS,
) -> None:
    """Share a version on the hub; texts of reviews stay here, and ids of those not public.

    HF_TOKEN is a token that may write. Both models go into one repository, the better one at its
    root too, for pipeline("text-classification", model="OWNER/NAME", trust_remote_code=True).
    """
    from classifier.commands.quiet import quiet_libraries
    from classifier.sharing.layout import check_name
    from classifier.sharing.public_copy import copy_public
    from classifier.sharing.push import push

    check_name(name)
    quiet_libraries()
    registry = Registry(models)
    found = registry.get(version)
    with registry.stage(found.made()) as staging:
        copy = copy_public(found, staging, name)
        _announce(copy, name)
        if dry_run:
            print((copy.folder / "README.md").read_text(encoding="utf-8").split("\n---\n")[0])
            print("---\nNothing was sent.")
            return
        with going_on():
            pushed = push(copy, name, print, private=private)
    who = "private" if pushed.private else "public"
    done = "Pushed to" if pushed.is_new else "All of it was already in"
    print(f"{done} {hub_address()}/{name} ({who}), commit {pushed.commit}.")


@app.command()
def pull(
    name: Repository,
    revision: Annotated[
        str, typer.Option(help="A branch, a tag or a commit of the repository.")
    ] = "main",
    models: Models = DEFAULT_MODELS,
) -> None:
    """Bring a version from the hub, checked; HF_TOKEN is for those that only you can read."""
    from classifier.commands.quiet import quiet_libraries
    from classifier.commands.tables import print_figures
    from classifier.sharing.layout import check_name
    from classifier.sharing.pull import pull

    def check(version: Version) -> None:
        """Raise something where `list` or `evaluate` would."""
        _row(version)
        print_figures(Console(quiet=True), version.metrics(), title="")

    check_name(name)
    make_folder(models)
    quiet_libraries()
    with going_on():
        pulled = pull(Registry(models), name, revision, check)
    done = "Pulled" if pulled.is_new else "Here already, and sound:"
    print(f"{done} {pulled.version.name}, {name} at commit {pulled.commit}.")
    if pulled.other_code:
        print(
            f"{', '.join(pulled.other_code)}: not this Kinorate's code, which does not run it; "
            f"trust_remote_code=True would. Read it first, or trust {name.partition('/')[0]}."
        )
    print(f"Into use: python -m classifier models promote {pulled.version.name}")


def _announce(copy: "PublicCopy", name: str) -> None:
    """Say what leaves this machine, and what does not."""
    sizes = {path: (copy.folder / path).stat().st_size for path in copy.names}
    print(f"{copy.version} to {hub_address()}/{name}:")
    for path, size in sizes.items():
        print(f"  {path}  {size:,} bytes")
    print(f"  At the root once more: {copy.root}/, {POOLING_TITLES[copy.root]}.")
    if copy.stays:
        there = sorted({f"{path.partition('/')[0]}{'/' * ('/' in path)}" for path in copy.stays})
        print(f"Not sent, for it quotes reviews or nothing reads it: {', '.join(there)}.")
    if copy.learnt_more:
        print(
            f"It has learnt from {copy.learnt_more:,} reviews beside those of its split, such as a "
            "bot's: no text of theirs is sent, but the weights."
        )
