"""The files that were sent, in memory."""

from io import BytesIO
from pathlib import PurePath
from typing import Any, NamedTuple

from PIL import Image
from PIL.ImageFile import ImageFile

from bot.local.params import ApiError, Upload
from bot.local.people import Json

MAX_DOWNLOAD = 20 * 1024 * 1024  # bytes
_STICKER = {"type": "regular", "is_animated": False, "is_video": False, "emoji": "🍿"}
_STAND_IN_FIELDS: dict[str, Json] = {
    "voice": {"duration": 3, "mime_type": "audio/ogg"},
    "sticker": _STICKER | {"width": 512, "height": 512},
}


class StoredFile(NamedTuple):
    kind: str  # the message's field for it, such as "photo"
    path: str
    upload: Upload
    about: Json  # ids and size
    shown: Any  # the field's value


class Files:
    def __init__(self, first_number: int) -> None:
        self._next = first_number
        self._by_id: dict[str, StoredFile] = {}

    def get(self, file_id: str) -> StoredFile | None:
        return self._by_id.get(file_id)

    def at(self, path: str) -> Upload | None:
        """The file that a bot downloads from `path`."""
        return next((file.upload for file in self._by_id.values() if file.path == path), None)

    def add(self, kind: str, upload: Upload) -> Any:
        """Keep a document, photo, voice or sticker, and return the field's value in a message."""
        if not upload.content:
            raise ApiError.bad_request("file must be non-empty")
        number, self._next = self._next, self._next + 1
        file_id = f"local-{kind}-{number}"
        file: Json = {"file_id": file_id, "file_unique_id": f"unique-{number}"}
        file["file_size"] = len(upload.content)
        if kind == "photo":
            image = _image(upload.content)
            upload = upload._replace(mime_type=image.get_format_mimetype() or upload.mime_type)
            shown: Any = [file | {"width": image.width, "height": image.height}]  # of one size
        else:
            document = {"file_name": upload.name, "mime_type": upload.mime_type}
            shown = file | _STAND_IN_FIELDS.get(kind, document)
        path = f"{kind}s/file_{number}{PurePath(upload.name).suffix}"
        self._by_id[file_id] = StoredFile(kind, path, upload, file, shown)
        return shown


def _image(content: bytes) -> ImageFile:
    """Reads only the header."""
    try:
        with Image.open(BytesIO(content)) as image:
            if image.width + image.height > 10_000:
                raise ApiError.bad_request("PHOTO_INVALID_DIMENSIONS")
            return image
    except (OSError, Image.DecompressionBombError):
        raise ApiError.bad_request("IMAGE_PROCESS_FAILED") from None
