"""The operators' side: health pages, metrics and lag reports."""
