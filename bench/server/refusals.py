"""How an error of the bench is answered over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import HTTPException

from bench.acts import NoSuchAct
from bench.actuators import InUse, NotOffered
from bench.duts import UnderTest
from bench.errors import BenchError, ConfigError, Unverifiable, in_one_line
from bench.workplace import Busy


@contextmanager
def refusals(*, wrong: int = 422, unobserved: int = 500) -> Iterator[None]:
    """Answer an error with the status that fits it, and its text in one line.

    `wrong` is for a file, name or value that is not as expected, `unobserved` for what could not be
    observed, such as an operator or a card that did not come.
    """
    try:
        yield
    except (Busy, InUse, UnderTest) as error:
        raise _problem(409, error) from error
    except NotOffered as error:
        raise _problem(501, error) from error
    except (NoSuchAct, ConfigError, ValueError) as error:
        raise _problem(wrong, error) from error
    except Unverifiable as error:
        raise _problem(unobserved, error) from error
    except BenchError as error:
        raise _problem(500, error) from error


def _problem(status: int, error: Exception) -> HTTPException:
    # What a request quotes need not be Unicode.
    text = in_one_line(error).encode("utf-8", "replace").decode()
    return HTTPException(status, text)
