"""Trains a recipe: kgen train --model dcgan"""

from pathlib import Path

from kgen.cli import parsing
from kgen.errors import again


def main(arguments: list[str]) -> int:
    """Runs the command with the arguments behind its name, and returns the exit code: 0, or 130 after Ctrl-C."""
    options = parsing.parse_training(arguments)
    if options.dry_run:
        print(options.recipe.to_json(), end="")
        return 0
    from kgen.training.train import train  # TensorFlow, two seconds: only when work starts

    result = train(options.recipe, options.runs_dir, options.exports_dir, options.resume)
    if not result.chief:
        print(f"Step {result.step}. The chief has written the run.")
        return 0
    if not result.finished:
        flags = ["--resume", result.run]
        if options.exports_dir != Path("saved_models"):
            flags += ["--exports-dir", options.exports_dir]
        print(f"Stopped at step {result.step} with a checkpoint. Go on: {again('train', *flags)}")
        return 130
    print(
        f"Report       {result.run}/report.html   open it in a browser\n"
        f"Pictures     {result.run}/samples\n"
        f"TensorBoard  {result.run}/train   see it: tensorboard --logdir {result.run.parent}\n"
        f"Export       {result.exported}"
    )
    return 0
