"""Archives unpacked with care: zip, tar and gzip, none of them trusted.

Only plain files are written, only beneath the target folder, and never more bytes than allowed. The
folder is there when all of it is.
"""

from __future__ import annotations

import gzip
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, cast

from logwright.errors import InputError

__all__ = ["unpack", "unpack_stream"]

_CHUNK = 1 << 20
_MOST_FILES = 100_000
# RuntimeError: what zipfile raises for encrypted members and for ways of packing it does not know.
_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    gzip.BadGzipFile,
    RuntimeError,
)


def unpack(archive: Path, folder: Path, most: int) -> None:
    """Unpack `archive` into a new `folder`; `InputError` where it is damaged, wants to write
    elsewhere, or has more than `most` bytes."""
    work = folder.with_name(f".{folder.name}.unpacking")
    left = most
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        with _members(archive) as members:
            for number, (name, file) in enumerate(members):
                if number == _MOST_FILES:
                    raise InputError(f"{archive} has over {_MOST_FILES:,} files")
                target = work / _safe(archive, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                with open(target, "wb") as out:
                    while chunk := file.read(_CHUNK):
                        left -= len(chunk)
                        if left < 0:
                            raise InputError(f"{archive} unpacks to over {most:,} bytes")
                        out.write(chunk)
        work.rename(folder)
    except _DAMAGED as error:
        raise InputError(f"{archive} is damaged: {error}") from None
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{archive} cannot be unpacked to {folder}: {reason}") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)


def unpack_stream(tar: tarfile.TarFile, folder: Path) -> None:
    """Write the plain files of a tar of ours beneath `folder` (`extractall` has no filter in the
    first versions of Python 3.11)."""
    for name, file in _of_tar(tar):
        target = folder / _safe(Path(str(tar.name or "archive")), name)
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "wb") as out:
            shutil.copyfileobj(file, out)


def _safe(archive: Path, name: str) -> PurePosixPath:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or "\0" in name:
        raise InputError(f"{archive} wants to write to {name!r}, outside its folder")
    return path


@contextmanager
def _members(archive: Path) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
    """Names and contents of the plain files in an archive."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as pack:
            yield _of_zip(pack)
    elif archive.name.endswith((".tar.gz", ".tgz", ".tar")):
        with tarfile.open(archive, "r|*") as tar:
            yield _of_tar(tar)
    elif archive.suffix == ".gz":
        with gzip.open(archive) as file:
            yield iter([(archive.stem, cast(IO[bytes], file))])
    else:
        raise InputError(f"{archive} is no zip, tar.gz or gz file")


def _of_zip(pack: zipfile.ZipFile) -> Iterator[tuple[str, IO[bytes]]]:
    for info in pack.infolist():
        # A link in a zip is a file whose mode says so; its content is where it points to.
        if info.is_dir() or stat.S_ISLNK(info.external_attr >> 16):
            continue
        with pack.open(info) as file:
            yield info.filename, file


def _of_tar(tar: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    for member in tar:
        file = tar.extractfile(member) if member.isreg() else None
        if file is not None:
            yield member.name, file
