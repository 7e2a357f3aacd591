"""`python -m bot` is `sahyatri`."""

from bot.cli import main

main()
