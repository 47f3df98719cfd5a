"""python -m vigie.cli: the command, where it is not on the path."""

from vigie.cli import program

program()
