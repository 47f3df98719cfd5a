"""The city's lighting as TALQ speaks of it: about 40 gateways between the lamps and their CMS."""
