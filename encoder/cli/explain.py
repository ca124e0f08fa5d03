"""Help with words: commands, error codes, and the shell's own completion."""

from __future__ import annotations

import difflib
import json

import click
from click.shell_completion import CompletionItem, get_completion_class

from encoder.cli import complete, exits
from encoder.cli.members import members
from encoder.errors import CATALOGUE, Entry


def _offered(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Commands, and codes."""
    root = ctx.find_root().command
    assert isinstance(root, click.Group)  # noqa: S101  # for the type checker
    named = [CompletionItem(name) for name in root.list_commands(ctx) if name.startswith(incomplete)]
    return named + complete.codes(ctx, param, incomplete)


@click.command("help")
@click.argument("word", required=False, shell_complete=_offered)
@click.option("--json", "as_json", is_flag=True, help="What is known of a code, as JSON.")
@click.pass_context
def explain(ctx: click.Context, word: str | None, *, as_json: bool) -> int:
    """Explain a command or an error code."""
    root = ctx.find_root()
    assert isinstance(root.command, click.Group)  # noqa: S101  # for the type checker
    if word is None:
        click.echo(root.get_help())
        return exits.DONE
    command = root.command.get_command(ctx, word)
    if command:
        click.echo(command.get_help(click.Context(command, info_name=word, parent=root)))
        return exits.DONE
    if word not in CATALOGUE:
        raise click.UsageError(_unknown(word, [*CATALOGUE, *root.command.list_commands(ctx)]))
    entry = CATALOGUE[word]
    click.echo(json.dumps(members(entry)) if as_json else "\n".join(_lines(entry)))
    return exits.DONE


def _unknown(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=3)
    return f"{word!r} is no command and no code." + (f" Did you mean {' or '.join(near)}?" if near else "")


def _lines(entry: Entry) -> list[str]:
    told = [f"{entry.code}: {entry.title}"]
    if entry.about:
        told.append(f"  {entry.about}")
    told.append(f"  → {entry.to_do}")
    if entry.status:
        told.append(f"  as an answer: HTTP {entry.status}")
    if entry.kind:
        told.append(f"  as the error of a job or output: {entry.kind.value}")
    if entry.blame:
        told.append(f"  where the cause lies: {entry.blame.value}")
    return told


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> int:
    """Print the completion script of a shell, which knows commands, jobs, presets, queues and codes.

    bash: eval "$(encoder completion bash)" in ~/.bashrc; zsh: the same with zsh in ~/.zshrc, after compinit; fish:
    encoder completion fish > ~/.config/fish/completions/encoder.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101  # click has all three
    click.echo(kind(ctx.find_root().command, {}, "encoder", "_ENCODER_COMPLETE").source())
    return exits.DONE
