"""Photos as they come from telephones: looked at, turned upright, made smaller, and written anew as JPEG or
PNG, so that nothing of the original is kept beside its pixels (EXIF: place, time, serial numbers)."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

from xunfang.errors import BadInput

MEGABYTE = 1024 * 1024
LONG_SIDE = 1600  # pixels
MOST_PIXELS = 50_000_000  # more is a bomb or a poster
JPEG_QUALITY = 82
_KINDS = ("JPEG", "PNG", "WEBP")  # what several cameras call MPO begins with a JPEG
Image.init()  # a format that is named must be known before it is asked for


def clean(data: bytes, limit_mb: int, *, signature: bool = False) -> bytes:
    """Raises BadInput in words for whoever took the picture."""
    if not data:
        raise BadInput("照片是空文件，请重新拍摄")
    if len(data) > limit_mb * MEGABYTE:
        size = len(data) / MEGABYTE
        raise BadInput(
            f"照片有{size:.0f}MB，超过{limit_mb}MB的上限；请把相机分辨率调低后重拍，其余内容不受影响"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_KINDS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise BadInput("照片的像素太多，请把相机分辨率调低后重拍")
                upright = ImageOps.exif_transpose(image)
                upright.thumbnail((LONG_SIDE, LONG_SIDE))
                return _written(upright, signature)
    except (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadInput("这个文件不是可用的照片（支持JPEG、PNG、WebP）") from None
    except (OSError, ValueError, SyntaxError):
        raise BadInput("照片已损坏，无法读取，请重新拍摄") from None


def _written(image: Image.Image, signature: bool) -> bytes:
    out = io.BytesIO()
    if signature:  # black on nothing: readable on paper, dark and light screens alike
        flat = Image.new("RGB", image.size, "white")
        rgba = image.convert("RGBA")
        flat.paste(rgba, mask=rgba.getchannel("A"))
        flat.convert("L").save(out, "PNG", optimize=True)
    else:
        image.convert("RGB").save(out, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return out.getvalue()
