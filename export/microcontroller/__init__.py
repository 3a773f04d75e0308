"""The microcontrollers' interpreter and the source written for it."""
