"""Who decides what is green: the plan, two controllers of the literature to compare with, and one of our own."""
