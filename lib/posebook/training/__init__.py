"""`posebook train`: rows of chapters on any number of devices, from the cache's pictures or from shards."""
