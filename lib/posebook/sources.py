"""Names of the sources of made people. A module of its own: it imports nothing, and `posebook.motion` takes seconds."""

MOTIONS = ("procedural", "cmu")  # whoever else is asked for is a prepared real dataset
