"""Images on their way in, so that a click on the page loses none of them."""

from __future__ import annotations

import threading
from collections.abc import Generator

from vaead.errors import InvalidInputError


class Intake:
    """Images that are taken in one by one, by whichever run of the page comes next.

    A click ends a run wherever it is, and Streamlit may begin the next one in another thread before the first
    has noticed. So what is left is kept here, and no image is taken in by both.

    Attributes:
        total: How many images there are.
        role: Whether they were uploaded as "normal" or "judged" images; empty if they were not uploaded.
        done: How many have been taken in, or left out.
        problem: Why the rest is left out, None unless something went wrong.
    """

    def __init__(self, steps: Generator[None], total: int, role: str = "") -> None:
        """Begin.

        Args:
            steps: Takes in one image whenever it is asked for the next step.
            total: How many images there are.
            role: See the class.
        """
        self.total = total
        self.role = role
        self.done = 0
        self.problem: InvalidInputError | OSError | None = None
        self._steps = steps
        self._lock = threading.Lock()

    def advance(self) -> bool:
        """Take in the next image; False if there is none left, or none can be taken in any more."""
        with self._lock:
            try:
                next(self._steps)
            except StopIteration:
                return False
            except (InvalidInputError, OSError) as error:
                self.problem = error
                return False
            self.done += 1
            return True

    def close(self) -> None:
        """Take in no more."""
        with self._lock:
            self._steps.close()
