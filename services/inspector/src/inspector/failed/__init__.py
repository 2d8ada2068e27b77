"""The failed messages: those that are parked, of the write side and of both stores, with what is behind them."""
