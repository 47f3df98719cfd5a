"""Who of the vehicles that tell where they are comes to a junction with a right to go first, and by which groups."""
