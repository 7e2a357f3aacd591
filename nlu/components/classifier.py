"""IndicLinear: a linear SVM over features shared by all scripts, with calibrated confidence."""

from __future__ import annotations

import pickle
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.components.linear import FILE, fit, rank


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IndicLinearClassifier(GraphComponent, IntentClassifier):
    """Ranks every intent. The pickle is our own, inside the model archive that our trainer wrote."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the settings with what cross-validation found best."""
        return {
            "weights": {
                "raw_word": 1.0, "raw_char": 1.0, "fold_word": 1.0, "fold_char": 1.0, "skel_word": 0.7, "skel_char": 0.0,
                "lex_concept": 0.5,
            },
            "char_ngrams": [2, 5],
            "min_df": 2,
            "C": 0.5,
            "seed": 20261124,
        }  # fmt: skip

    def __init__(self, config: dict[str, Any], storage: ModelStorage, resource: Resource, model: Any = None) -> None:
        self._config = config
        self._storage = storage
        self._resource = resource
        self._model = model

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> IndicLinearClassifier:
        """Build an untrained one for Rasa's graph."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **_: Any,
    ) -> IndicLinearClassifier:
        """Load the trained one."""
        with model_storage.read_from(resource) as folder:
            model = pickle.loads((folder / FILE).read_bytes())
        return cls(config, model_storage, resource, model)

    def train(self, training_data: TrainingData) -> Resource:
        """Fit on every example that has an intent."""
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        self._model = fit(
            [example.get(TEXT) for example in examples], [example.get(INTENT) for example in examples], self._config
        )
        with self._storage.write_to(self._resource) as folder:
            (folder / FILE).write_bytes(pickle.dumps(self._model, protocol=5))
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set the intent and the full ranking of each message."""
        texts = [message.get(TEXT) or "" for message in messages]
        for message, ranking in zip(messages, rank(self._model, texts)):
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
        return messages
