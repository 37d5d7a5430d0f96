"""Word to PDF by LibreOffice, where it is installed. Each run has its own profile folder: two runs that
share one wait for each other, or fail."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from xunfang.errors import BadInput

PROGRAMS = ("soffice", "libreoffice")
START_S = 60.0  # LibreOffice itself, on an old machine
EACH_S = 5.0
ABSENT = "本机没有安装 LibreOffice，不能生成 PDF；请下载 Word 文件，或请管理员安装它和中文字体"


def program() -> str | None:
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


def to_pdf(documents: Mapping[str, bytes], timeout_s: float | None = None) -> dict[str, bytes]:
    """Name -> Word in, name -> PDF out, in one run. BadInput when it is absent, fails or takes too long."""
    office = program()
    if office is None:
        raise BadInput(ABSENT)
    if not documents:
        return {}
    limit = timeout_s or START_S + EACH_S * len(documents)
    with tempfile.TemporaryDirectory(prefix="xunfang-pdf-") as folder:
        work, out = Path(folder, "in"), Path(folder, "out")
        work.mkdir()
        files = {name: work / f"{number}.docx" for number, name in enumerate(documents)}
        for name, file in files.items():
            file.write_bytes(documents[name])
        _run(office, Path(folder, "profile"), out, list(files.values()), limit)
        made: dict[str, bytes] = {}
        for name, file in files.items():
            result = out / f"{file.stem}.pdf"
            if not result.is_file():
                raise BadInput("LibreOffice 没有生成 PDF；请下载 Word 文件后自行转换")
            made[name] = result.read_bytes()
        return made


def _run(office: str, profile: Path, out: Path, files: list[Path], limit: float) -> None:
    command = [office, "--headless", "--norestore", "--nolockcheck"]
    command += [
        f"-env:UserInstallation={profile.as_uri()}",
        "--convert-to",
        "pdf",
        "--outdir",
        str(out),
        *map(str, files),
    ]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        raise BadInput(f"LibreOffice 超过 {limit:.0f} 秒没有完成，已停止；请下载 Word 文件") from None
    except OSError as error:
        raise BadInput(f"LibreOffice 无法启动（{type(error).__name__}）；请下载 Word 文件") from None
    if done.returncode != 0:
        raise BadInput(f"LibreOffice 转换失败（退出码 {done.returncode}）；请下载 Word 文件后自行转换")
