"""The user's own photos: files, folders, ZIPs and uploads in, arrays and reasons out."""

from vaead.data.photos.archive import Archive, open_zip
from vaead.data.photos.checks import check_amount, check_normals, is_other_resolution, pixel_digest
from vaead.data.photos.folder import find_photos
from vaead.data.photos.layout import sort_photos, sort_uploads
from vaead.data.photos.limits import Limits
from vaead.data.photos.masks import Mask, read_mask
from vaead.data.photos.names import Rejected
from vaead.data.photos.photo import Photo, Photos
from vaead.data.photos.reading import ReadOptions, read_each, read_photo

__all__ = [
    "Archive",
    "Limits",
    "Mask",
    "Photo",
    "Photos",
    "ReadOptions",
    "Rejected",
    "check_amount",
    "check_normals",
    "find_photos",
    "is_other_resolution",
    "open_zip",
    "pixel_digest",
    "read_each",
    "read_mask",
    "read_photo",
    "sort_photos",
    "sort_uploads",
]
