"""Every word of the field has its Chinese term, and equal words of different lists keep their own."""

from enum import StrEnum

import pytest

from xunfang import vocabulary
from xunfang.vocabulary import CallDisposition, CaseKind, Priority, Risk, Speaker, zh

pytestmark = pytest.mark.unit

LISTS = [each for each in vars(vocabulary).values() if isinstance(each, type) and issubclass(each, StrEnum)]


@pytest.mark.parametrize(
    "words", [each for each in LISTS if each is not StrEnum], ids=lambda each: each.__name__
)
def test_every_word_has_a_chinese_term(words: type[StrEnum]) -> None:
    assert all(zh(word) for word in words)


def test_equal_words_of_different_lists_keep_their_own_terms() -> None:
    assert zh(Risk.NORMAL) == "正常"
    assert zh(Priority.NORMAL) == "一般"
    assert zh(CallDisposition.NOT_DIALLED) == "未拨出"
    assert zh(CaseKind.NOT_DIALLED) == "期内未拨出"
    assert zh(Speaker.RELATIVE) == "他人"
