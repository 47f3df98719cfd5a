"""What counts of traffic say: what is usual, what comes next."""
