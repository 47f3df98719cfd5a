"""What the park's faults ask for: which batches fail more than others, and the round that mends most for least
travel."""
