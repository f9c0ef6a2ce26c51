"""Write the reference of the Python API into a folder: `python docs/api_reference.py build/docs`."""

import pkgutil
import sys
from pathlib import Path

import pdoc

import vaead


def main(folder: Path) -> None:
    """Write one page a module; of commands and pages, which are no API, none."""
    for name in vaead.__all__:  # pdoc does not see what is imported when it is asked for
        setattr(vaead, name, getattr(vaead, name))
    names = {module.name for module in pkgutil.iter_modules(vaead.__path__)} - {"__main__", "cli", "ui"}
    pdoc.render.configure(docformat="google")
    pdoc.pdoc("vaead", *(f"vaead.{name}" for name in sorted(names)), output_directory=folder)
    print(f"Open {folder / 'index.html'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
