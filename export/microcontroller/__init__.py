"""Digit models on microcontrollers: their interpreter and source for it, and plain C without one."""
