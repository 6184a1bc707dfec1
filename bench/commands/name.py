"""Who does what a command records: the option `--by`."""

from __future__ import annotations

import argparse


def configure_by(parser: argparse.ArgumentParser) -> None:
    """Add the option."""
    parser.add_argument("--by", metavar="NAME", help="who does it (default: the login name)")


def who(options: argparse.Namespace) -> str:
    """Return who does it; raises `ConfigError` when nobody can be named."""
    import getpass

    from bench.errors import ConfigError

    name = options.by
    if name is None:
        try:
            name = getpass.getuser()
        except (OSError, KeyError) as error:
            raise ConfigError("--by NAME is missing, and there is no login name") from error
    if not str(name).strip() or len(name) > 200 or not name.isprintable():
        raise ConfigError(f"--by {name!r}: expected a name")
    return str(name)
