"""The handlers of the commands, one file each. `lookup` and `notifying` are what several of them share."""
