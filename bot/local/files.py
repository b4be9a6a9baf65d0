"""Files that were sent, in memory."""

from io import BytesIO
from pathlib import PurePath
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from bot.local.errors import ApiError
from bot.local.params import Upload
from bot.local.people import Json

MAX_DOWNLOAD = 20 * 1024 * 1024


class StoredFile(NamedTuple):
    path: str
    upload: Upload


class Files:
    def __init__(self, first_number: int) -> None:
        self._next = first_number
        self._by_id: dict[str, StoredFile] = {}

    def get(self, file_id: str) -> StoredFile | None:
        return self._by_id.get(file_id)

    def at(self, path: str) -> Upload | None:
        """What a bot downloads from `path`."""
        return next((file.upload for file in self._by_id.values() if file.path == path), None)

    def document(self, upload: Upload) -> Json:
        """The Document object of a new file."""
        named = {"file_name": upload.name, "mime_type": upload.mime_type}
        return named | self._stored("documents", "file", upload)

    def photo(self, upload: Upload) -> list[Json]:
        """The PhotoSize objects of a new photo: it is kept in one size."""
        try:
            with Image.open(BytesIO(upload.content)) as image:
                width, height = image.size
        except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
            raise ApiError.bad_request("IMAGE_PROCESS_FAILED") from None
        if width + height > 10_000:
            raise ApiError.bad_request("PHOTO_INVALID_DIMENSIONS")
        return [{"width": width, "height": height} | self._stored("photos", "file", upload)]

    def voice(self, upload: Upload) -> Json:
        spoken = {"duration": 3, "mime_type": "audio/ogg"}
        return spoken | self._stored("voice", "file", upload)

    def sticker(self, upload: Upload) -> Json:
        drawn = {
            "type": "regular",
            "width": 512,
            "height": 512,
            "is_animated": False,
            "is_video": False,
            "emoji": "🍿",
        }
        return drawn | self._stored("stickers", "file", upload)

    def _stored(self, folder: str, stem: str, upload: Upload) -> Json:
        if not upload.content:
            raise ApiError.bad_request("file must be non-empty")
        number, self._next = self._next, self._next + 1
        file_id = f"local-{folder}-{number}"
        path = f"{folder}/{stem}_{number}{PurePath(upload.name).suffix}"
        self._by_id[file_id] = StoredFile(path, upload)
        return {
            "file_id": file_id,
            "file_unique_id": f"unique-{number}",
            "file_size": len(upload.content),
        }
