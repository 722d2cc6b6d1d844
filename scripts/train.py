#!/usr/bin/env python
"""Trains a recipe: python scripts/train.py --model dcgan"""

import shlex
from pathlib import Path

from kgen import cli


def main(arguments):
    options = cli.parse_training(arguments)
    if options.dry_run:
        print(options.recipe.to_json(options.model), end="")
        return 0
    from kgen.training import train  # TensorFlow, two seconds: only when work starts

    result = train(options.model, options.recipe, options.runs_dir, options.exports_dir, options.resume)
    if not result.finished:
        again = ["python", "scripts/train.py", "--resume", str(result.run)]
        if options.exports_dir != Path("saved_models"):
            again += ["--exports-dir", str(options.exports_dir)]
        print(f"Stopped at step {result.step} with a checkpoint. Go on: {shlex.join(again)}")
        return 130
    print(
        f"Pictures     {result.run}/samples\n"
        f"TensorBoard  {result.run}/train   see it: tensorboard --logdir {result.run.parent}\n"
        f"Export       {result.exported}"
    )
    return 0


if __name__ == "__main__":
    cli.run(main)
