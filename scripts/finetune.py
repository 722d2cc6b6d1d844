#!/usr/bin/env python
"""The command `kgen finetune`, from a checkout."""

from kgen.cli import main

main.run("finetune")
