"""City services: what each owns and how it reacts. One folder a service, no imports between them."""
