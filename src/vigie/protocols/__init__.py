"""Bytes <-> vocabulary, both ends of each conversation, no sockets. One folder a protocol, no imports between them."""
