"""What is promised of vigie's speed, measured: `vigie bench [NAME or GROUP ...] [--json]`."""
