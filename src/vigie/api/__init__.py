"""HTTP as people, programs and devices see it: thin, around the engine."""
