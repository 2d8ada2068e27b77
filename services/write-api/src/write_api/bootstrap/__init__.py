"""The one place where adapters are built, a module for each role. Its parts are started and stopped in order."""
