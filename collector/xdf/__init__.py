"""XDF, the file that all streams of a recording share: codec, writer, reader and check. Imports no pylsl.

Format: https://github.com/sccn/xdf/wiki/Specifications (version 1.0).
"""

from __future__ import annotations

from collector.xdf.check import check
from collector.xdf.checksums import beside as crc_path
from collector.xdf.codec import FORMATS, XdfError
from collector.xdf.disk import DiskFullError
from collector.xdf.header import StreamHeader, declare_drops, header_xml, parse_header
from collector.xdf.mend import mend
from collector.xdf.reader import Stream, by_name, read
from collector.xdf.survey import Damage, Report, StreamReport
from collector.xdf.writer import Writer

__all__ = [
    "FORMATS",
    "Damage",
    "DiskFullError",
    "Report",
    "Stream",
    "StreamHeader",
    "StreamReport",
    "Writer",
    "XdfError",
    "by_name",
    "check",
    "crc_path",
    "declare_drops",
    "header_xml",
    "mend",
    "parse_header",
    "read",
]
