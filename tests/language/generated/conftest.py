from __future__ import annotations

import pytest


@pytest.fixture
def scripted():
    """A log whose writer answers prompts by a function, and what it was asked."""
    from limbeck.language.generated.writing_log import WritingLog
    from limbeck.teachers.completions import Completion, WritingBill

    class Writer:
        name, continues = "w", False

        def __init__(self, answer, opening="<user>"):
            self.answer, self.start, self.asked = answer, opening, []

        def complete(self, prompts, sampling, draws, tell):
            self.asked += prompts
            found = [self.answer(p, len(self.asked) - len(prompts) + i)
                     for i, p in enumerate(prompts)]  # fmt: skip
            return [f if isinstance(f, Completion) else Completion(f) for f in found]

        def asking(self, text):
            return text

        def opening(self):
            return self.start

        def bill(self):
            return WritingBill()

        def spent(self):
            return False

    def make(answer, max_requests=None, **settings):
        return WritingLog(Writer(answer, **settings), max_requests=max_requests)

    return make
