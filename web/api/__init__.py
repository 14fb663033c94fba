"""What the dashboard answers, each part in a module; every answer is described by a model."""
