"""The one loop: the live picture, the lives of commands and conditions, access, safety guards."""
