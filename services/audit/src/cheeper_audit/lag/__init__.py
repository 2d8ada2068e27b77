"""The lag of the views, measured under load or taken in one snapshot."""
