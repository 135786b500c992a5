"""``python -m limbeck`` is the command ``limbeck``."""

from limbeck.cli.commands import main

main()
