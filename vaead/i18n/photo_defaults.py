"""Settings that were chosen for photos, and why, in words."""

from __future__ import annotations

from vaead.data.photos.survey import ALIGNED
from vaead.i18n.format import percent
from vaead.i18n.texts import Texts
from vaead.photo_defaults import PhotoDefaults, Variant


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
        texts(f"photo_defaults.light_{_kind(source.even_light)}", share=light),
        texts(f"photo_defaults.aligned_{_kind(source.aligned)}", likeness=aligned, least=ALIGNED),
    ]


def variant_name(variant: Variant, texts: Texts) -> str:
    """What is different in a variant."""
    return texts(f"variant.{variant.change}", patch=variant.patch_size, scale=f"{variant.source.scale:g}")


def _kind(chosen: bool) -> str:
    return "on" if chosen else "off"
