"""Groups of lines: sessions by key, tumbling and sliding windows."""
