"""Light on demand: a sensor or a bus raises the street ahead of it for a moment, within what the commune allows."""
