"""Tokens for Indian scripts: vowel signs stay with their letters; the folded Latin form goes into the lemma."""

from __future__ import annotations

from typing import Any

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.training_data.message import Message

from bot.domain import text as forms


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=False)
class IndicTokenizer(Tokenizer):
    """Rasa's `WhitespaceTokenizer` keeps vowel signs too, but its featurizers read `Token.text`; ours carry a lemma."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return Rasa's own defaults; intents are never split."""
        return {"intent_tokenization_flag": False, "intent_split_symbol": "_", "token_pattern": None}

    @classmethod
    def create(cls, config: dict[str, Any], *_: Any) -> IndicTokenizer:
        """Build it for Rasa's graph."""
        return cls(config)

    def tokenize(self, message: Message, attribute: str) -> list[Token]:
        """Return one token per word of the normalised text, with its folded form as lemma."""
        words = forms.tokens(forms.normalise(message.get(attribute) or ""))
        found, at = [], 0
        for word in words or ["∅"]:
            found.append(Token(word, at, lemma=forms.fold(forms.romanise(word)) or word))
            at += len(word) + 1
        return found
