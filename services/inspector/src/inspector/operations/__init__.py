"""The actions of operators: each is a command line of another service, with its entry in the trail before it begins."""
