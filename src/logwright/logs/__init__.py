"""Bytes in, `LineBatch` out: sources, formats, timestamps and shapes."""
