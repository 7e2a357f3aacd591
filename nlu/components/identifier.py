"""The language guess as a Rasa graph component; how it guesses: nlu/components/language.py."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.domain.text import script_of
from nlu import inputs
from nlu.components.language import DEFAULTS, FILE, Languages, fit, loads


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class LanguageIdentifier(GraphComponent):
    """Sets `language` on each message: locale and confidence; the locale is "" when it is not sure."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the settings."""
        return dict(DEFAULTS)

    def __init__(self, config: dict[str, Any], storage: ModelStorage, resource: Resource, model: Languages | None = None) -> None:
        """*model*: None until trained or loaded."""
        self._config = {name: config[name] for name in DEFAULTS}
        self._storage = storage
        self._resource = resource
        self._model = model

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> LanguageIdentifier:
        """Build an untrained one for Rasa's graph."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext, **_: Any
    ) -> LanguageIdentifier:
        """Load the trained one."""
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, loads((folder / FILE).read_bytes()))

    def train(self, training_data: TrainingData) -> Resource:
        """Fit on every example; Rasa does not say from which file one came, so the files are read for their locales."""
        locale_of = {text: locale for locale, _, _, text in inputs.training()}
        texts = [text for example in training_data.intent_examples if (text := example.get(TEXT)) in locale_of]
        self._model = fit(texts, [locale_of[text] for text in texts], self._config)
        with self._storage.write_to(self._resource) as folder:
            (folder / FILE).write_bytes(self._model.dumps())
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set the language of each message."""
        if self._model is None:
            raise RuntimeError("the language identifier is neither trained nor loaded; run: python nlu/train.py")
        for message in messages:
            locale, confidence = self._model.guess(message.get(TEXT) or "")
            language = {"locale": locale, "script": script_of(message.get(TEXT) or ""), "confidence": confidence}
            message.set("language", language, add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Nothing later in the pipeline learns from the language."""
        return training_data
