"""The comparison of the methods: their table, its front, its protocol, its statistics (chapter 6 and README)."""
