"""A capture as a folder of Graph-shaped JSON files: one ``{"value": [...]}`` per list, named after the resource.

Groups and directory roles carry their ``members``. ``outcomes.json``, which an export adds, keeps how each reading
ended; a folder put together by hand needs none: a file that is missing is then a list that could not be read.
"""

from pipeline.providers.folder.reading import read_folder
from pipeline.providers.folder.writing import write_folder

__all__ = ["read_folder", "write_folder"]
