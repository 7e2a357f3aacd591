"""IndicLinear as a Rasa graph component: a linear classifier over features shared by all scripts, ranking every intent."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.components.linear import DEFAULTS, FILE, Model, fit, loads


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IndicLinearClassifier(GraphComponent, IntentClassifier):
    """Wraps `nlu.components.linear`; its settings and how they were chosen: nlu/README.md."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the settings; a key given in config.yml replaces its default."""
        return dict(DEFAULTS)

    def __init__(
        self, config: dict[str, Any], storage: ModelStorage, resource: Resource, model: Model | None = None
    ) -> None:
        """*model*: None until trained or loaded."""
        self._config = {name: config[name] for name in DEFAULTS}
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
            return cls(config, model_storage, resource, loads((folder / FILE).read_bytes()))

    def train(self, training_data: TrainingData) -> Resource:
        """Fit on every example that has an intent."""
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        self._model = fit(
            [example.get(TEXT) for example in examples], [example.get(INTENT) for example in examples], self._config
        )
        with self._storage.write_to(self._resource) as folder:
            (folder / FILE).write_bytes(self._model.dumps())
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set the intent and the full ranking of each message."""
        if self._model is None:
            raise RuntimeError("the classifier is neither trained nor loaded; run: python nlu/train.py")
        rankings = self._model.rank([message.get(TEXT) or "" for message in messages])
        for message, ranking in zip(messages, rankings):
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
        return messages
