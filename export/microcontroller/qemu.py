"""The generated C on a Cortex-M that QEMU plays: its answers, its flash and RAM, and its instructions."""

import dataclasses
import pathlib
import re
import shutil
import subprocess
import tempfile

import numpy as np

from export.microcontroller import c_text
from export.microcontroller.host import STRICT
from keras_classics import children
from keras_classics.errors import InputError

MACHINES = {"mps2-an385": "cortex-m3", "mps2-an500": "cortex-m7", "microbit": "cortex-m0"}
TOOLS = ("arm-none-eabi-gcc", "qemu-system-arm")
_TIMEOUT = 600  # seconds
_COMPILE = (*STRICT, "-ffunction-sections", "-fdata-sections")
_LINK = (
    *("-nostartfiles", "-specs=nano.specs", "-T", "cortex_m.ld", "-Wl,--gc-sections", "-Wl,-Map=network.map"),
    *("-o", "network.elf"),
)
# A line of the linker's map: a section that is kept, where, how long, and of which object file.
_PLACED = re.compile(r"^ \.(text|rodata|data|bss)\S*\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+(\S+)$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Run:
    """What a machine did.

    Args:
        answers: ``uint8 (n, classes)``.
        flash: bytes of the network's code and constants, by the linker's map.
        code: of these, code alone.
        ram: bytes of the network's static memory, by the linker's map.
        stack: bytes of the deepest stack, of the program that reads the digits included.
        instructions: that the processor executes for one digit, on average; no time.
        most_instructions: for the digit that takes most.
    """

    answers: np.ndarray
    flash: int
    code: int
    ram: int
    stack: int
    instructions: int
    most_instructions: int


def run(files, name, pixels, classes, machine="mps2-an385", optimization="-O2"):
    """A ``Run`` of the generated C.

    Args:
        files: ``{file name: text}`` of ``generate.files``.
        name: of the functions.
        pixels: ``uint8 (n, side, side, 1)``.
        classes: how many outputs there are.
        machine: one of ``MACHINES``.
        optimization: of the compiler.

    Raises:
        InputError: the compiler or QEMU is not installed, or refuses.
    """
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    if absent:
        raise InputError(f"{', '.join(absent)} is not installed.")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        _write(folder, files, name)
        (folder / "digits.bin").write_bytes(np.ascontiguousarray(pixels).tobytes())
        flags = [f"-mcpu={MACHINES[machine]}", "-mthumb", optimization]
        _done([TOOLS[0], *flags, *_COMPILE, "-c", f"{name}.c", "answers.c", "semihosting.c"], folder)
        _done([TOOLS[0], *flags, *_LINK, f"{name}.o", "answers.o", "semihosting.o"], folder)
        board = [*("-M", machine, "-nographic", "-monitor", "none", "-serial", "none", "-icount", "shift=0")]
        semihosting = ["-semihosting-config", "enable=on,target=native", "-kernel", "network.elf"]
        output = _done([TOOLS[1], *board, *semihosting], folder)
        answers = np.frombuffer((folder / "answers.bin").read_bytes(), np.uint8).reshape(-1, classes)
        return Run(answers, *_sizes((folder / "network.map").read_text(), name), *_counts(output))


def _write(folder, files, name):
    fields = {"name": name, "guard": name.upper()}
    for file in (f"{name}.h", f"{name}.c"):
        (folder / file).write_text(files[file], encoding="utf-8")
    for file in ("board.h", "semihosting.h", "semihosting.c", "cortex_m.ld"):
        (folder / file).write_text(c_text.template(file).template, encoding="utf-8")
    (folder / "answers.c").write_text(c_text.template("answers.c").substitute(fields), encoding="utf-8")


def _done(command, folder):
    """What a program printed."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=_TIMEOUT,
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(f"{command[0]} did not end within {_TIMEOUT} s.") from error
    children.check_signal(done.returncode, command[0])
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no reason"]
        raise InputError(f"{command[0]} fails: {lines[0]}.")
    return done.stdout + done.stderr


def _counts(output):
    """``(stack, instructions, most instructions)`` of what the program printed."""
    numbers = {key: int(number) for key, number in re.findall(r"^(\w+) (\d+)$", output, re.MULTILINE)}
    an_instruction = numbers["loop_ticks"] / numbers["loop_instructions"]
    return numbers["stack"], *(round(numbers[key] / an_instruction) for key in ("ticks", "most_ticks"))


def _sizes(text, name):
    """``(flash, code, ram)`` of the network, by the linker's map; with what it needs of the compiler's own library."""
    sections = text[text.index("Linker script and memory map") :]
    sizes = dict.fromkeys(("text", "rodata", "data", "bss"), 0)
    for section, _, size, file in _PLACED.findall(sections):
        if file == f"{name}.o" or "libgcc.a" in file:
            sizes[section] += int(size, 16)
    return sizes["text"] + sizes["rodata"] + sizes["data"], sizes["text"], sizes["data"] + sizes["bss"]
