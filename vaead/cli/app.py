"""The command `app`."""

from __future__ import annotations

import threading

import click

from vaead import shipped


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--port", type=int, default=8501, show_default=True, help="Port of the app.")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def app(port: int, options: tuple[str, ...]) -> None:
    """Start the app and print its address.

    OPTIONS are those of `streamlit run`, for example --server.address=127.0.0.1.
    """
    from streamlit.web.cli import main as streamlit  # a second to import

    threading.Thread(target=_import_pages, daemon=True).start()
    streamlit(["run", str(shipped.APP), f"--server.port={port}", *options], prog_name="streamlit")


def _import_pages() -> None:
    """While Streamlit starts and waits: the first visitor shall not wait for scikit-learn and Plotly."""
    from vaead.ui.app import import_pages

    import_pages()
