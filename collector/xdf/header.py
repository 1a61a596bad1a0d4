"""A stream's header: the XML that says what its numbers are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from xml.etree import ElementTree

from collector.xdf.codec import FORMATS, XdfError

_DROPS = ("synchronization", "can_drop_samples")
_MAX_DEPTH = 100
_MAX_CHANNELS = 1 << 16  # a header that claims more is damaged: the devices of this field have at most some thousands


@dataclass(frozen=True)
class StreamHeader:
    """What is known of a stream.

    Parameters
    ----------
    name, type : str
        As LSL has them.
    n_channels : int
        Number of channels, at least 1.
    sfreq : float
        Nominal rate, Hz; 0 for events.
    format : str
        A key of :data:`collector.xdf.FORMATS`.
    labels, units : tuple of str
        One per channel, or empty where the stream does not say.
    source_id, uid, hostname : str
        Which outlet it was.
    created_at : float
        LSL seconds on the sender's clock.
    desc : tuple of (str, str)
        More of the description: path below ``desc`` (``file``, ``cap/size``) and text.
    """

    name: str
    type: str
    n_channels: int
    sfreq: float
    format: str
    labels: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    source_id: str = ""
    uid: str = ""
    hostname: str = ""
    created_at: float = 0.0
    desc: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        where = f"stream {self.name!r}"
        if not 1 <= self.n_channels <= _MAX_CHANNELS:
            raise XdfError(f"{where}: channel_count = {self.n_channels}: must lie in 1..{_MAX_CHANNELS}")
        if not (math.isfinite(self.sfreq) and self.sfreq >= 0):
            raise XdfError(f"{where}: nominal_srate = {self.sfreq}: must be 0 or more")
        if self.format not in FORMATS:
            raise XdfError(f"{where}: channel_format = {self.format!r}: one of {', '.join(FORMATS)}")
        for what in ("labels", "units"):
            if len(getattr(self, what)) not in (0, self.n_channels):
                raise XdfError(f"{where}: {len(getattr(self, what))} {what} for {self.n_channels} channels")


def header_xml(header: StreamHeader) -> str:
    """Write a header as XML; a stream with a rate declares that it can drop samples.

    Raises
    ------
    XdfError
        When a text cannot stand in XML (control characters).
    """
    info = ElementTree.Element("info")
    plain = ("name", "type", "source_id", "uid", "hostname")
    for tag in plain:
        ElementTree.SubElement(info, tag).text = getattr(header, tag)
    ElementTree.SubElement(info, "channel_count").text = str(header.n_channels)
    ElementTree.SubElement(info, "nominal_srate").text = repr(float(header.sfreq))
    ElementTree.SubElement(info, "channel_format").text = header.format
    ElementTree.SubElement(info, "created_at").text = repr(float(header.created_at))
    desc = ElementTree.SubElement(info, "desc")
    if header.labels or header.units:
        _write_channels(ElementTree.SubElement(desc, "channels"), header)
    for path, text in header.desc:
        _node(desc, path.split("/")).text = text
    xml = declare_drops('<?xml version="1.0"?>' + ElementTree.tostring(info, encoding="unicode"))
    if parse_header(xml) != header:
        raise XdfError(f"stream {header.name!r}: its header holds text that XML cannot carry")
    return xml


def declare_drops(xml: str) -> str:
    """Add ``desc/synchronization/can_drop_samples = true`` to a header whose stream has a rate.

    Without it pyxdf smooths over any gap shorter than about 500 samples and moves times by up to a second.
    """
    info = _root(xml)
    if float(info.findtext("nominal_srate") or 0) <= 0:
        return xml
    desc = info.find("desc")
    desc = ElementTree.SubElement(info, "desc") if desc is None else desc
    node = _node(desc, list(_DROPS))
    if node.text == "true":
        return xml
    node.text = "true"
    return '<?xml version="1.0"?>' + ElementTree.tostring(info, encoding="unicode")


def parse_header(xml: str) -> StreamHeader:
    """Read a header, ours or another program's.

    Raises
    ------
    XdfError
        When it is not XML, or lacks or misstates what is needed to read the samples.
    """
    info = _root(xml)
    channels = info.findall("desc/channels/channel")
    try:
        return StreamHeader(
            name=info.findtext("name") or "",
            type=info.findtext("type") or "",
            n_channels=int(info.findtext("channel_count") or ""),
            sfreq=float(info.findtext("nominal_srate") or 0),
            format=info.findtext("channel_format") or "",
            labels=_per_channel(channels, "label", int(info.findtext("channel_count") or "")),
            units=_per_channel(channels, "unit", int(info.findtext("channel_count") or "")),
            source_id=info.findtext("source_id") or "",
            uid=info.findtext("uid") or "",
            hostname=info.findtext("hostname") or "",
            created_at=float(info.findtext("created_at") or 0),
            desc=tuple(_leaves(info.find("desc"))),
        )
    except XdfError:
        raise
    except ValueError as error:
        raise XdfError(f"stream header: {error}") from None


def _root(xml: str) -> ElementTree.Element:
    return root_of(xml, what="stream header: ")


def root_of(xml: str | bytes, *, what: str = "") -> ElementTree.Element:
    """Return the ``info`` element of a header or footer.

    Raises
    ------
    XdfError
        When it is none.
    """
    try:
        info = ElementTree.fromstring(xml)
    except (ElementTree.ParseError, ValueError, LookupError) as error:  # the latter two: encodings that are none
        raise XdfError(f"{what}not XML: {error}") from None
    if info.tag != "info":
        raise XdfError(f"{what}<{info.tag[:40]}> instead of <info>")
    return info


def _write_channels(channels: ElementTree.Element, header: StreamHeader) -> None:
    for i in range(header.n_channels):
        channel = ElementTree.SubElement(channels, "channel")
        if header.labels:
            ElementTree.SubElement(channel, "label").text = header.labels[i]
        if header.units:
            ElementTree.SubElement(channel, "unit").text = header.units[i]


def _node(parent: ElementTree.Element, path: list[str]) -> ElementTree.Element:
    for tag in path:
        found = parent.find(tag)
        parent = ElementTree.SubElement(parent, tag) if found is None else found
    return parent


def _per_channel(channels: list[ElementTree.Element], tag: str, n_channels: int) -> tuple[str, ...]:
    if len(channels) != n_channels or any(channel.find(tag) is None for channel in channels):
        return ()  # a device that describes some of its channels has described none that we can trust
    return tuple(channel.findtext(tag) or "" for channel in channels)


def _leaves(desc: ElementTree.Element | None, path: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    if len(path) > _MAX_DEPTH:
        raise XdfError(f"stream header: elements within elements, {len(path)} deep")
    found: list[tuple[str, str]] = []
    for child in desc if desc is not None else ():
        here = (*path, child.tag)
        if here == ("channels",) or here == _DROPS:
            continue
        found += _leaves(child, here) if len(child) else [("/".join(here), child.text or "")]
    return found
