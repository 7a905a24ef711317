"""What the commands of `posebook` take and do; `posebook.cli` puts them together."""
