"""The one error type that users see: what was expected, what came, what to do."""


class PosebookError(Exception):
    """Bad input or a missing piece. Its message names the expectation, the finding and the remedy."""
