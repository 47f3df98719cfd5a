"""The junctions of the simulated city, as sites that speak RSMP."""
