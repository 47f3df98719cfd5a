"""Energy and carbon: what lamps used, what meters say of it, and what the old lamps would have used."""
