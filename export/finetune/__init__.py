"""Fine-tuning before conversion, by tensorflow-model-optimization."""
