"""Winter service: where ice is to be expected, and the salting circuits that it calls out."""
