from pathlib import Path

from bot.content.load import load_firm_words
from bot.recruiters.names import Lexicon

#: The words that are shipped, as the service reads them.
LEXICON = Lexicon(load_firm_words(Path(__file__).resolve().parent.parent.parent / "content" / "recruiters" / "names"))
