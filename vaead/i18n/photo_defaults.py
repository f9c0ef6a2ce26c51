"""Settings that were chosen for photos, and why, in words."""

from __future__ import annotations

from vaead.i18n.format import percent
from vaead.i18n.texts import Texts
from vaead.photo_defaults import PhotoDefaults


def photo_defaults(chosen: PhotoDefaults, texts: Texts) -> list[str]:
    """One line a setting."""
    source = chosen.source
    scaled_px = round(chosen.longer_px * source.scale)
    light, aligned = percent(max(0.0, chosen.shared_light)), f"{chosen.alignment:.2f}"
    return [
        texts(
            "photo_defaults.scale",
            scale=f"{source.scale:g}",
            longer=chosen.longer_px,
            scaled=scaled_px,
            patch=chosen.patch_size,
        ),
        texts(f"photo_defaults.color_{source.color}"),
        texts("photo_defaults.even" if source.even_light else "photo_defaults.keep", share=light),
        texts("photo_defaults.aligned" if source.aligned else "photo_defaults.free", likeness=aligned),
    ]
