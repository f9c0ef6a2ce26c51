"""The command `app`."""

from __future__ import annotations

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

    streamlit(["run", str(shipped.APP), f"--server.port={port}", *options], prog_name="streamlit")
