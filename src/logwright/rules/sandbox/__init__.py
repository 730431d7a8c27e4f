"""The sandbox: a process that can do nothing but answer for plain rules."""
