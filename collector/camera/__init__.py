"""The camera: a capture thread stamps, a bounded queue, an encoder thread writes, a watchdog opens it again.

Capturing never waits for encoding, and nobody waits for a camera that hangs. Every frame in a video has one row in the frame
stream of that file, written after it, by the same thread.
"""

from collector.camera.camera import Camera as Camera
from collector.camera.preview import Previewer as Previewer
from collector.camera.source import CameraError as CameraError
from collector.camera.source import Capture as Capture
from collector.camera.source import PacedFile as PacedFile
from collector.camera.source import Source as Source
from collector.camera.source import open_source as open_source
from collector.camera.times import frames_header as frames_header
