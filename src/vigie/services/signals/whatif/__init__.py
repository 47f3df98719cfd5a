"""What a change would do, before it is made: figures of today and of the change in pairs, and thresholds on them."""
