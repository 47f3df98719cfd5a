"""The demo: a post, and beside it a simulated metropolis that speaks to it as devices do. Two processes, one folder."""
