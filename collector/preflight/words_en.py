"""The preflight's lines in English."""

from __future__ import annotations

from collections.abc import Mapping

from collector.preflight.said import Said

_EMOTIV = "EmotivPRO, Settings, Lab Streaming Layer"

ENGLISH: Mapping[str, Said] = {
    "graphics/ok": Said("Graphics: {renderer}, OpenGL {version}, screen {width} x {height}"),
    "graphics/software": Said(
        "Graphics are drawn in software ({renderer}): clips may lose frames",
        "Install the graphics card's driver and log in to the desktop itself, not remotely; for trying things out it will do",
    ),
    "graphics/none": Said(
        "No window can be opened: {why}",
        "Log in to the desktop and start there, or install the graphics card's driver; without a screen: xvfb-run -a ..",
    ),
    "screen/size": Said(
        "The screen has {width} x {height} pixels, screen.size_px in study.toml says {wanted}",
        "Set the screen's resolution, or size_px and width_m of the study: visual angles come from them",
    ),
    "sound/ok": Said("Sound: {device}, loudness {percent} %"),
    "sound/none": Said(
        "No sound can be played: {why}",
        'Connect a loudspeaker or headphones; a study without sound says screen.sound = "silent"',
    ),
    "sound/absent": Said("No sound device ({why}); the study runs silent", "Nothing to do, if clips without sound are meant"),
    "sound/muted": Said("Sound is muted: {device}", "Switch the sound on, at the computer and at the loudspeaker"),
    "sound/off": Said("Sound is muted: {device}; the study may run silent", "Switch the sound on, unless silence is meant"),
    "sound/quiet": Said("Loudness of {device} is {percent} %: hardly anything is heard", "Turn it up to the study's loudness"),
    "sound/unknown": Said(
        "Sound: {device}; whether it is muted cannot be told on this computer ({why})",
        "Play something and listen, at the participant's place",
    ),
    "clock/ok": Said("Clock: {wall}, kept by the network; boot {boot}"),
    "clock/wrong": Said("The clock says {wall}: {why}", "Set date and time, and switch on the clock from the network"),
    "clock/unsynced": Said("Clock: {wall}, not kept by the network", "Switch on: timedatectl set-ntp true"),
    "clock/unknown": Said("Clock: {wall}; whether the network keeps it cannot be told here", "Compare it with another clock"),
    "sleep/ok": Said("The computer can be kept awake"),
    "sleep/possible": Said(
        "The computer may fall asleep during the session: {why}", "Switch off sleep and screen saver in the system's settings"
    ),
    "sleep/lid": Said("The computer falls asleep when its lid is closed: {why}", "Leave the lid open during the session"),
    "disk/ok": Said("Disk: {free} GiB are free in {folder}, the session needs {need} GiB; a trial file was written"),
    "disk/room": Said(
        "Disk: {free} GiB are free in {folder}, a session of {minutes} min may take {need} GiB",
        "Free some, or choose another disk with --data",
    ),
    "disk/rights": Said("Nothing can be written in {folder}: {why}", "Change its rights, or choose another folder with --data"),
    "disk/encrypted": Said("The data folder lies on an encrypted disk"),
    "disk/plain": Said(
        "The data folder lies on a disk that is not encrypted: faces and EEG are readable to whoever takes it",
        "Choose a folder on an encrypted disk with --data (LUKS, BitLocker, FileVault)",
    ),
    "disk/unknown": Said(
        "Whether the data folder's disk is encrypted cannot be told ({why})", "Ask whoever looks after this computer"
    ),
    "session/free": Said("No other session is running here"),
    "session/running": Said("Another session is running: {why}", "Let it end first"),
    "study/ok": Said("Study: {name}, {clips} clips as the table says, {trials} trials, {minutes} min"),
    "study/fault": Said("The study cannot be run: {why}{more}", "See all of it with: emo-study check {study}"),
    "study/changed": Said("The study was changed after it had been checked", "Abort and start emo-run again"),
    "consent/ok": Said("Consent: version {version}, scopes {scopes}, sheet {sheet}"),
    "consent/no_sheet": Said(
        "Consent: version {version}, scopes {scopes}; the study names no information sheet",
        "Name the file that participants read: consent.sheet in study.toml",
    ),
    "lsl/ok": Said("LSL: own stream found in {seconds} s; on the network: {seen}"),
    "lsl/deaf": Said(
        "LSL does not even find its own stream on this computer",
        "Open the firewall for this program: UDP 16571 to 16604 and multicast, TCP 16572 to 16604; leave a VPN",
    ),
    "lsl/session": Said(
        "LSL looks in the session {session!r} alone: programs with LSL's own settings are not found",
        "Unset EMOLAB_LSL_SESSION, and remove SessionID from lsl_api.cfg ({where})",
    ),
    "install/missing": Said("The programs that record are not installed: {why}", "Install them: pip install 'emolab[lab]'"),
    "stream/ok": Said("{name}: {n_channels} channels, {rate} Hz, {form}, from {host}"),
    "stream/absent": Said("{wanted} is not there, and need not be"),
    "stream/missing": Said(
        "Not there: {wanted}; on the network: {seen}{similar}",
        "Start the program that sends it and switch its LSL outlet on; on another computer: same network, and the firewall "
        "open for UDP 16571 to 16604, multicast and TCP 16572 to 16604; if it has another name, write that into study.toml",
    ),
    "stream/several": Said(
        "{wanted} fits several streams: {which}",
        "End the one too many, or name host or source_id of the right one in study.toml",
    ),
    "stream/silent": Said("{wanted} is there and sends nothing", "Switch the headset on and connect it; start the outlet anew"),
    "stream/unreachable": Said(
        "{wanted} is listed and cannot be reached on {host} ({why})",
        "Open the firewall of both computers for TCP 16572 to 16604, or end the program that left it behind",
    ),
    "stream/no_rate": Said(
        "{name} says that it has no sampling rate: it cannot be EEG", "Name the EEG's own stream in eeg.stream of study.toml"
    ),
    "stream/sfreq": Said(
        "{name} has {nominal} Hz, eeg.sfreq in study.toml says {wanted}",
        "Set the headset to {wanted} Hz (EmotivPRO, headset settings), or change the study for all participants",
    ),
    "stream/rate": Said(
        "{name} sends {rate} samples a second, it promises {nominal}",
        "Bring the headset nearer to its receiver, charge it, close other programs, and check again",
    ),
    "stream/float32": Said(
        "{name} is float32, which cannot hold {labels}: one step is {step}",
        f"{_EMOTIV}: set the data format to double64 (cf_double64), and start the outlet anew",
    ),
    "stream/chunks": Said(
        "{name} comes in bursts of {n} samples every {seconds} s: Chunk mode",
        f'{_EMOTIV}: set Transmit to "Sample", and start the outlet anew',
    ),
    "stream/stamps": Said(
        "{name} has stamps that cannot be times: {why}",
        "Start the program that sends it anew; let LSL stamp each sample as it is born",
    ),
    "stream/no_clock": Said(
        "The clock of {host}, which sends {name}, cannot be measured: its times would mean nothing here",
        "Open the firewall of both computers for UDP 16572 to 16604",
    ),
    "stream/losses": Said(
        "{name} lost {n} of {of} samples within {seconds} s",
        "Bring the headset nearer to its receiver, away from other radios; charge it",
    ),
    "stream/lost_some": Said("{name} lost {n} of {of} samples within {seconds} s", "Bring the headset nearer to its receiver"),
    "counter/frozen": Said(
        "{label} of {name} stands still at {value}: the device repeats itself, or sends nothing new",
        "Switch the headset off and on, and start its outlet anew",
    ),
    "counter/missing": Said(
        "{name} has no channel {label}: lost samples cannot be told",
        "Switch the counter on in the program that sends it, or name the right label in eeg.counter of study.toml",
    ),
    "counter/none": Said(
        "{name} has no sample counter: losses are told by stamps alone", "Nothing to do, if this device has none"
    ),
    "counter/odd": Said("{label} of {name} does not count samples", "Name the right label in eeg.counter of study.toml"),
    "eeg/labels": Said(
        "{name} lacks {n} of the study's channels: {labels}",
        "Set the sensors' names in the program that sends it, or eeg.channels in study.toml",
    ),
    "eeg/unlabelled": Said(
        "{name} does not name channels that the montage {montage} knows; it has {labels}",
        "Set the sensors' names in the program that sends it, or eeg.montage and eeg.channels in study.toml",
    ),
    "eeg/units": Said(
        "{name} is no EEG in {units}: its amplitude would be {amplitude} uV, and it says its unit is {said}",
        "Set eeg.units in study.toml: uV or V",
    ),
    "eeg/nan": Said("{name} sends no numbers in {labels}", "Connect these sensors, or start the program that sends it anew"),
    "eeg/flat": Said(
        "{n} of {of} sensors of {name} stand still: {labels}",
        "Put them on and wet them; check the cable of the cap; check again",
    ),
    "eeg/flat_few": Said("{n} of {of} sensors of {name} stand still: {labels}", "Put them on and wet them"),
    "eeg/filled": Said(
        "{percent} % of the samples of {name} were filled in by the device: its radio loses them",
        "Bring the headset nearer to its receiver, away from other radios; charge it",
    ),
    "eeg/filled_some": Said(
        "{percent} % of the samples of {name} were filled in by the device", "Bring the headset nearer to its receiver"
    ),
    "quality/labels": Said(
        "{name} has no channel Overall: the rule on contact cannot be judged; it has {labels}",
        "Switch the whole quality stream on in the program that sends it",
    ),
    "quality/values": Said(
        "Overall of {name} is {value}: it must lie in 0 to 100", "Start the program that sends it anew; put the headset on"
    ),
    "quality/signal": Said("{name}: the headset's radio signal is {value}", "Bring the headset nearer to its receiver"),
    "battery/ok": Said("Battery: {percent} %, about {at_end} % at the session's end"),
    "battery/scarce": Said("Battery: {percent} %, about {at_end} % at the session's end", "Charge it before the next session"),
    "battery/short": Said(
        "Battery: {percent} %, it will not last for {minutes} min", "Charge the headset first, or take another one"
    ),
    "battery/unknown": Said("{name} does not tell the battery's charge", "Look at the headset's own light"),
    "camera/ok": Said("Camera: {width} x {height}, {fps} frames a second"),
    "camera/off": Said("No camera is used: {why}"),
    "camera/none": Said(
        "The camera cannot be opened: {why}", "Connect it, close other programs that use it, or set camera.source"
    ),
    "camera/silent": Said("The camera is there and gives no picture", "Unplug it and plug it in again; close other programs"),
    "camera/frozen": Said("The camera gives the same picture again and again", "Unplug it and plug it in again"),
    "camera/rate": Said(
        "The camera gives {fps} frames a second, {wanted} are asked for",
        "More light (in the dark cameras halve their rate), another USB port, or a lower camera.fps or size_px",
    ),
    "camera/size": Said(
        "The camera gives {width} x {height} pixels, {wanted} are asked for", "Set camera.size_px to what the camera can do"
    ),
    "camera/dark": Said(
        "The picture is too dark (grey level {level} of 255)", "More light, from the front; open the lens cover"
    ),
    "camera/bright": Said(
        "The picture is too bright (grey level {level} of 255)", "Less light, none from behind; turn the camera"
    ),
    "face/ok": Said("Camera: one face, {share} % of the picture's height"),
    "face/none": Said("The camera sees no face", "Seat the participant before the camera, hair off the eyes, and check again"),
    "face/several": Said(
        "The camera sees {n} faces: nobody but the participant has agreed to be recorded",
        "Others leave the picture; take pictures of people off the wall",
    ),
    "participant/unknown": Said(
        "Participant {participant} is not among the study's participants ({roster}){meant}",
        "Abort and start emo-run with the right id; somebody new passes with a reason",
    ),
    "participant/other": Said(
        "Participant {participant} was somebody else in ses-{session} run-{run}: {differ}",
        "Abort and start emo-run with the right id, or with the form corrected",
    ),
    "participant/complete": Said(
        "ses-{session} of participant {participant} is complete already ({ends})",
        "Check the id; a repetition becomes a new run, and the earlier one stays",
    ),
    "doctor": Said("The preflight itself failed: {why}", "Check again; if it stays, run emo-doctor by hand"),
    "check/failed": Said("{what} could not be checked: {why}", "Check again; if it stays, look at it by hand"),
}
