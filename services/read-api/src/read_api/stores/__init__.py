"""The views in the stores, one folder per store. They implement the protocols of `read_api.queries`."""
