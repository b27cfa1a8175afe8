#!/usr/bin/env python3
"""Packs one function for the platforms that take an archive: `package.py BINARY FOLDER`.

Lambda wants an executable named `bootstrap` at the top, ActionLoop one named `exec`; a folder that is
deployed as it lies needs the file `.include` so that nothing else goes along. Archives have fixed times and
modes: the same binary gives the same archive.
"""

import shutil
import sys
import zipfile
from pathlib import Path

MIB = 1 << 20
# Direct upload to Lambda, and a built function of DigitalOcean.
LIMITS = {"bootstrap": ("lambda", 50 * MIB), "exec": ("actionloop", 48 * MIB)}


def pack(binary, entry, archive):
    info = zipfile.ZipInfo(entry, date_time=(1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = 3  # Unix: else the mode is not read
    info.external_attr = 0o100755 << 16
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(info, binary.read_bytes(), compresslevel=9)


def main(binary, folder):
    binary, folder = Path(binary), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for entry, (platform, limit) in LIMITS.items():
        shutil.copy2(binary, folder / entry)
        (folder / entry).chmod(0o755)
        archive = folder / f"{binary.name}-{platform}.zip"
        pack(binary, entry, archive)
        size = archive.stat().st_size
        print(f"{archive}: {size / MIB:.1f} MiB")
        if size > limit:
            sys.exit(f"package: {archive} is over {limit / MIB:.0f} MiB, which {platform} does not take")
    (folder / ".include").write_text("exec\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
