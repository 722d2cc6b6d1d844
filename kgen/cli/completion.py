"""Prints what makes a shell complete the commands, flags and names: kgen completion bash"""

import dataclasses
import importlib
import typing
from dataclasses import dataclass
from typing import Any, Literal

import tyro

from kgen import data
from kgen.cli import main as commands
from kgen.cli import parsing
from kgen.core import recipe as recipes

# zsh then has bash's `complete` and `compgen`.
ZSH = """(( ${+functions[compdef]} )) || { autoload -Uz compinit && compinit; }
autoload -Uz +X bashcompinit && bashcompinit
"""
# Words of the line so far: COMP_WORDS, of which number COMP_CWORD is being written.
SCRIPT = """_kgen_of_command() {{
  case "$1" in
{commands}
  esac
}}
_kgen_of_model() {{
  case "$1" in
{models}
  esac
}}
_kgen_of_flag() {{
  case "$1" in
{flags}
  esac
}}
_kgen() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" command="${{COMP_WORDS[1]}}" model i
  local offers="$(_kgen_of_flag "$before")"
  if [ "$COMP_CWORD" -eq 1 ]; then
    offers="{names}"
  elif [ -z "$offers" ]; then
    offers="$(_kgen_of_command "$command")"
    for ((i = 2; i < COMP_CWORD; i++)); do
      [ "${{COMP_WORDS[i]}}" = --model ] && model="${{COMP_WORDS[i+1]}}"
    done
    case "$command" in
{trained}
    esac
  fi
  COMPREPLY=($(compgen -W "$offers" -- "$word"))
}}
complete -o default -F _kgen kgen
"""
TRAINED = '      {name}) offers="$offers $(_kgen_of_model "${{model:-{model}}}")" ;;'
HIDDEN = [typing.get_args(mark[str])[1] for mark in (tyro.conf.Positional, tyro.conf.Suppress)]  # no flags


@dataclass(frozen=True)
class Options:
    """Prints a script for bash or zsh, which completes commands, flags, and the names of models and datasets.

    Write it into a file that the shell reads when it starts.
    """

    shell: tyro.conf.Positional[Literal["bash", "zsh"]]  # The shell.


def main(arguments: list[str]) -> int:
    """Runs the command with the arguments behind its name, and returns the exit code, 0."""
    shell = parsing.parse(Options, arguments).shell
    print((ZSH if shell == "zsh" else "") + script(), end="")
    return 0


def script() -> str:
    """Returns the script for bash."""
    options = {name: options_of(name) for name in commands.names()}
    papers = recipes.all_recipes()
    choices = {"--model": [*papers], "--dataset": data.names(), "--run": ["latest"], "--resume": ["latest"]}
    for kind in dict.fromkeys([*options.values(), *map(type, papers.values())]):
        for flag, values in flags(kind).items():
            if values:
                choices[flag] = list(dict.fromkeys([*choices.get(flag, ()), *values]))
    positional = {"check": data.names(), "completion": ["bash", "zsh"], "models": [*papers]}
    trained = {name: kind.model for name, kind in options.items() if isinstance(getattr(kind, "model", None), str)}
    return SCRIPT.format(
        commands=cases({name: [*positional.get(name, ()), *flags(kind), "--help"] for name, kind in options.items()}),
        models=cases({name: [*flags(type(recipe))] for name, recipe in papers.items()}),
        flags=cases(choices),
        names=" ".join(options),
        trained="\n".join(TRAINED.format(name=name, model=model) for name, model in trained.items()),
    )


def options_of(command: str) -> type:
    """Returns the dataclass of a sub-command's flags."""
    return getattr(importlib.import_module(f"kgen.cli.{command}"), "Options", parsing.Options)


def flags(kind: type) -> dict[str, list[str]]:
    """Returns `{flag: its values}` of a dataclass of flags; the values are empty unless there are only a few."""
    found, hints = {}, typing.get_type_hints(kind, include_extras=True)
    for field in dataclasses.fields(kind):
        hint, *marks = typing.get_args(hints[field.name]) if annotated(hints[field.name]) else [hints[field.name]]
        if dataclasses.is_dataclass(hint):
            found |= flags(hint)
        elif not isinstance(hint, typing.TypeVar) and not any(mark in HIDDEN for mark in marks):
            off = "no-" if field.default is True else ""
            flag = f"--{off}{field.name.rstrip('_').replace('_', '-')}"
            found[flag] = [*typing.get_args(hint)] if typing.get_origin(hint) is typing.Literal else []
    return found


def annotated(hint: Any) -> bool:
    """Returns whether a type hint is `Annotated[...]`."""
    return typing.get_origin(hint) is typing.Annotated


def cases(words: dict[str, list[str]]) -> str:
    """Returns lines of a `case` that print the words of each key; keys with the same words share a line."""
    shared = {}
    for key, found in words.items():
        shared.setdefault(" ".join(map(str, found)), []).append(key)
    return "\n".join(f'    {"|".join(keys)}) echo "{found}" ;;' for found, keys in shared.items())
