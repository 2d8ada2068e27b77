"""The whole stack as plain processes on one machine, without Docker: servers, the process runner and test fixtures."""
