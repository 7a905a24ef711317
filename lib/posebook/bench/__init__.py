"""`posebook bench`: a grid of runs, on this machine or on a Dask cluster.

`grid` reads the YAML file and expands it, `estimate` tells what it will cost, `local` and `cluster` execute it, each
run by `work.perform`, and `preflight` refuses a cluster that cannot do the work before a run is wasted on it.
"""
