"""Our own Rasa graph components for Indian text."""
