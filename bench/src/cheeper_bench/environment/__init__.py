"""The servers, processes, cores and data that a benchmark runs on."""
