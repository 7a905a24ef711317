"""`python -m posebook`, which `torchrun -m posebook train …` starts on every device."""

from posebook.cli import app

if __name__ == "__main__":
    app()
