"""The device end of everything: a city from a seed, the life of its devices, and their doors."""
