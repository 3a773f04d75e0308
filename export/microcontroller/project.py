"""Folders that build: CMake for a computer and a Cortex-M in QEMU, an Arduino sketch, a PlatformIO project."""

PROJECTS = ("cmake", "arduino", "platformio")


def files(kind, sources, fields):
    """``{relative path: text}`` of a project, the network's own ``sources`` among them.

    Args:
        kind: one of ``PROJECTS``; None: the sources alone.
        sources: ``{file name: text}`` of ``generate.files``.
        fields: of ``generate.fields``.
    """
    from export.microcontroller.c_text import template

    if kind is None:
        return dict(sources)
    name = fields["name"]

    def filled(file):
        return template(file).substitute(fields)

    readme = template("README.md").substitute(fields, how=filled(f"how_{kind}.md"))
    if kind == "arduino":
        return {f"{name}/{path}": text for path, text in {**sources, f"{name}.ino": filled("sketch.ino")}.items()} | {
            f"{name}/README.md": readme
        }
    if kind == "platformio":
        library = {f"lib/{name}/{path}": text for path, text in sources.items()}
        main = "#include <Arduino.h>\n\n" + filled("sketch.ino")
        return {**library, "src/main.cpp": main, "platformio.ini": filled("platformio.ini"), "README.md": readme}
    board = {"board.h": "board.h", "board_host.c": "board_host.c"}
    board |= {f"cortex-m/{file}": file for file in ("semihosting.c", "semihosting.h", "cortex_m.ld", "toolchain.cmake")}
    as_they_are = {path: template(file).template for path, file in board.items()}
    return {
        **sources,
        "main.c": filled("main.c"),
        **as_they_are,
        "CMakeLists.txt": filled("CMakeLists.txt"),
        "README.md": readme,
    }
