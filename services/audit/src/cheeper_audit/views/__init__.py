"""The views, a file each: every key pattern and collection of `cheeper_contracts.views` that holds a view."""
