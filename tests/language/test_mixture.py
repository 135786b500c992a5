from __future__ import annotations

import torch

from limbeck.language.mixture import TeacherMixture


def test_the_mixture_is_that_of_both_distributions_at_every_token(pair):
    teacher, share = pair[0], 0.3
    mixture = TeacherMixture(teacher, share)
    mask = torch.tensor([[0, 1, 1], [1, 1, 1]])
    prompts = torch.tensor([[0, 5, 6], [7, 8, 9]])
    written = torch.tensor([[4, 10], [11, 3]])
    for texts in (written, written.flip(1)):  # a second text begins anew
        for step in range(3):
            tokens = torch.cat([prompts, texts[:, :step]], 1)
            log_q = torch.linspace(-1, 1, 68).reshape(2, 34).sin().log_softmax(-1)
            found = mixture(tokens, mask, log_q)
            torch.testing.assert_close(found.exp().sum(-1), torch.ones(2))
            for row in range(2):
                alone = tokens[row][int((1 - mask[row]).sum()) :]
                with torch.no_grad():
                    p = teacher.module(input_ids=alone[None]).logits[0, -1].softmax(-1)
                exact = share * p + (1 - share) * log_q[row].exp()
                torch.testing.assert_close(found[row].exp(), exact, atol=1e-5, rtol=1e-4)
