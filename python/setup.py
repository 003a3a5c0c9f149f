"""Builds the wheel: the package, and with it libqcc and the program qcc, made from the sources around this folder.

Where they are built already, QCC_BUILD names the build folder (configured without --disable-shared). Where this folder stands
alone, the wheel holds neither, and the package uses the installed libqcc and qcc.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:  # before setuptools 70.1
    from wheel.bdist_wheel import bdist_wheel

HERE = Path(__file__).resolve().parent
SOURCES = HERE.parent if (HERE.parent / "src" / "main.c").exists() else None


def version():
    """The compiler's own."""
    if SOURCES is None:
        return subprocess.check_output(["pkg-config", "--modversion", "qcc"], text=True).strip()
    return re.search(r"AC_INIT\(\[qcc\], \[([^]]+)\]\)", (SOURCES / "configure.ac").read_text()).group(1)


def built(folder):
    """Builds libqcc and qcc in that folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (SOURCES / "configure").exists():
        subprocess.check_call(["./bootstrap"], cwd=SOURCES)
    if not (folder / "config.status").exists():
        subprocess.check_call([str(SOURCES / "configure"), "-q"], cwd=folder)
    subprocess.check_call(["make", "-s", f"-j{os.cpu_count() or 1}", "libqcc.la", "qcc"], cwd=folder)
    return folder


class BuildWithLibrary(build_py):
    """Copies the shared library and the program into the package."""

    def run(self):
        super().run()
        if SOURCES is None:
            return
        made = os.environ.get("QCC_BUILD")
        folder = Path(made) if made else built(Path(self.get_finalized_command("build").build_temp).resolve() / "qcc")
        to = Path(self.build_lib) / "qcc" / "native"
        to.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / ".libs" / "libqcc.so", to / "libqcc.so")
        shutil.copy(folder / "qcc", to / "qcc")
        for name in ("libqcc.so", "qcc"):
            subprocess.call(["strip", "--strip-unneeded", str(to / name)])


class PlatformWheel(bdist_wheel):
    """The wheel fits any Python 3 of this platform: ctypes needs no Python headers."""

    def finalize_options(self):
        super().finalize_options()
        self.root_is_pure = SOURCES is None

    def get_tag(self):
        python, abi, platform = super().get_tag()
        return ("py3", "none", platform) if SOURCES else (python, abi, platform)


setup(version=version(), cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": PlatformWheel})
