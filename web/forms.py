"""Fields of a form, checked one by one, all that is wrong told at once in Chinese.

fields = ...                       # parameter `fields: Posted`
name = fields.text("name", "姓名", limit=50)
role = fields.one_of("role", "角色", UserRole)
if fields.errors: return render.page(..., status=422, fields=fields)
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile

from xunfang.errors import BadInput

MAX_TEXT = 2000
Word = TypeVar("Word", bound=StrEnum)


class Fields:
    """What was sent, and in `errors` what is wrong with it by name of field."""

    def __init__(self, form: FormData) -> None:
        self._form = form
        self.errors: dict[str, str] = {}

    def raw(self, name: str) -> str:
        """As typed, for showing it again. NUL is no letter in any database."""
        value = self._form.get(name, "")
        return value.replace("\0", "").strip() if isinstance(value, str) else ""

    def all(self, name: str) -> list[str]:
        return [value for value in self._form.getlist(name) if isinstance(value, str)]

    def files(self, name: str) -> list[UploadFile]:
        found = self._form.getlist(name)
        return [value for value in found if isinstance(value, UploadFile) and value.filename]

    def text(self, name: str, title: str, *, limit: int = MAX_TEXT, required: bool = True) -> str:
        value = self.raw(name)
        if required and not value:
            self.errors[name] = f"请填写{title}"
        elif len(value) > limit:
            self.errors[name] = f"{title}最多{limit}个字"
        return value

    def one_of(self, name: str, title: str, words: type[Word]) -> Word | None:
        try:
            return words(self.raw(name))
        except ValueError:
            self.errors[name] = f"请选择{title}"
            return None

    def whole(self, name: str, title: str, *, required: bool = True) -> int | None:
        value = self.raw(name)
        if not value and not required:
            return None
        if not (value.isascii() and value.isdigit() and len(value) < 19):
            self.errors[name] = f"{title}须为数字"
            return None
        return int(value)

    def flag(self, name: str) -> bool:
        return bool(self.raw(name))

    def check(self) -> None:
        """Raises BadInput with everything that is wrong."""
        if self.errors:
            raise BadInput("；".join(self.errors.values()))


async def _posted(request: Request) -> AsyncIterator[Fields]:
    """Large files lie on the disk until the request is over."""
    async with request.form(max_part_size=MAX_TEXT * 100) as form:
        yield Fields(form)


Posted = Annotated[Fields, Depends(_posted)]
