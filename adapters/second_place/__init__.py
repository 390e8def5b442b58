"""A place apart from the database for the little that must outlive a restore of it: what was published, and who was erased."""

from pathlib import Path

from adapters.second_place.bucket import SCHEME, BucketPlace, read_account, read_bucket
from adapters.second_place.folder import FolderPlace
from adapters.second_place.place import BadName, Kept, PlaceAway, PlaceChanged, SecondPlace
from adapters.settings import Settings

__all__ = ["BadName", "BucketPlace", "FolderPlace", "Kept", "PlaceAway", "PlaceChanged", "SecondPlace", "open_second_place", "place_at"]


def open_second_place(settings: Settings) -> SecondPlace:
    """Give the place that MINOS_SECOND_PLACE names. Nothing is read or made before it is used. Raises BadBucket."""
    return place_at(settings.second_place or str(settings.data_dir / "second-place"), settings)


def place_at(where: str, settings: Settings) -> SecondPlace:
    """Give the folder or the bucket of that name. Raises BadBucket."""
    if where.startswith(f"{SCHEME}://"):
        bucket = read_bucket(where)
        return BucketPlace(bucket, read_account(settings.second_place_key, bucket.region))
    return FolderPlace(Path(where))
