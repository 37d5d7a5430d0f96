"""Telephone and ID numbers of a ledger: as they are dialled, as they are issued. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberType
from stdnum import numdb
from stdnum.cn import ric

from xunfang.ledger.values import Wrong, plain, remembered, text

CHINA = 86
EXACT_DIGITS = 15  # a spreadsheet keeps no more digits of a number


def _mobile_pattern() -> re.Pattern[str]:
    """phonenumbers' own rule for mobile numbers, without its long way there: most rows have one."""
    metadata = PhoneMetadata.metadata_for_region("CN")
    assert metadata is not None
    assert metadata.mobile is not None
    return re.compile(str(metadata.mobile.national_number_pattern))


_MOBILE = _mobile_pattern()
_DIALLED = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


def phone(cell: object) -> str:
    """Digits as dialled inside China: 13812340001, 043188881234. Mobile and fixed lines only."""
    written = text(cell)
    if len(written) == 11 and _MOBILE.fullmatch(written) and written.isascii():
        return written
    written = unicodedata.normalize("NFKC", written)
    digits = re.sub(r"[\s\-()]", "", written)
    return _any_phone(written, digits)


@lru_cache(maxsize=4096)
def _any_phone(written: str, digits: str) -> str:
    if "*" in written:
        raise Wrong("号码里有 *，像是隐去号码的导出文件，请填写完整号码")
    if re.search(r"[、,;/]|或", written):
        raise Wrong("只能填一个号码，其余请填入紧急联系人或备注")
    if re.search(r"转|分机|ext", written, re.IGNORECASE):
        raise Wrong("不支持分机，请填写可以直接拨通的号码")
    try:
        number = phonenumbers.parse(written, "CN")
    except phonenumbers.NumberParseException:
        raise Wrong("不是电话号码") from None
    if number.country_code != CHINA:
        raise Wrong("不是中国大陆的号码")
    if phonenumbers.number_type(number) in _DIALLED:
        national = str(number.national_number)
        return national if _MOBILE.fullmatch(national) else "0" + national
    if re.fullmatch(r"[2-8]\d{6,7}", digits):
        raise Wrong("固定电话请加区号，如 0431-8xxxxxxx")
    if digits.startswith("1"):
        raise Wrong("手机号应为 11 位，且号段存在" if len(digits) != 11 else "没有这个手机号段")
    raise Wrong("不是有效的手机或固定电话号码")


def id_card(cell: object) -> str:
    """18 characters, upper case, check digit right (GB 11643)."""
    if isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) >= 10**EXACT_DIGITS:
        raise Wrong("以数字格式保存，末几位已被表格软件改掉，请把该列设为文本后重新填写")
    number = plain(cell).upper()
    if "*" in number:
        raise Wrong("号码里有 *，像是隐去号码的导出文件，请填写完整号码")
    if len(number) == 15 and number.isdecimal():
        raise Wrong("是 15 位旧号码，请填写 18 位号码")
    if len(number) != 18 or not number.isascii():
        raise Wrong(f"应为 18 位，现为 {len(number)} 位")
    if not number[:17].isdecimal() or number[17] not in "0123456789X":
        raise Wrong("只能由数字组成，末位可为 X")
    if ric.calc_check_digit(number) != number[17]:
        raise Wrong("校验位不对，请核对号码")
    try:
        born(number)
    except ValueError:
        raise Wrong("其中的出生日期不存在") from None
    return number


def born(card: str) -> date:
    """ValueError when there is no such day."""
    return date(int(card[6:10]), int(card[10:12]), int(card[12:14]))


def sex_of(card: str) -> str:
    return "M" if int(card[16]) % 2 else "F"


@lru_cache(maxsize=8192)
def known_place(region: str) -> bool:
    """Whether the first six digits were ever a county's.

    In the year of birth is not asked (ric.validate does): numbers have been given out since 1984, so
    every elder carries the code of a later county.
    """
    return any(properties for _, properties in numdb.get("cn/loc").info(region))


@remembered
def area_code(cell: object) -> str:
    code = plain(cell)
    if not re.fullmatch(r"\d{12}", code):
        raise Wrong(f"应为 12 位数字，现为 {len(code)} 位")
    return code
