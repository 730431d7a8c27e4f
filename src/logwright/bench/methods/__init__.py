"""Methods of the benchmark, one file each: ours at each step, floors, and peers."""
