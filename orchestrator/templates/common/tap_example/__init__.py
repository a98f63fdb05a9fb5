"""A Singer tap: tap.py has the settings, streams.py what there is to read, client.py how the source is asked."""
