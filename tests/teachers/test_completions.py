from __future__ import annotations

from limbeck.teachers.completions import WritingBill, WritingCount


def test_a_bill_grows_and_says_what_is_known():
    count = WritingCount()
    count.add(requests=2, stored=1200)
    assert str(count.bill) == "2 requests sent, 1,200 answered from the store"
    count.add(requests=1, input_tokens=5000, output_tokens=10, cost=0.25)
    assert count.bill == WritingBill(3, 1200, 5000, 10, 0.25)
    assert str(count.bill) == (
        "3 requests sent, 1,200 answered from the store; 5,000 tokens read and 10 written; 0.25 USD"
    )
