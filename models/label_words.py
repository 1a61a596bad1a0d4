"""What the columns of the tables of labels mean, for the JSON beside them."""

from __future__ import annotations

from collections.abc import Sequence


def describe(emotions: Sequence[str]) -> dict[str, dict[str, object]]:
    """Return what the columns mean, for the JSON beside the table."""
    felt = {name: name for name in emotions}
    yes_no = {"yes": "yes", "no": "no"}
    names = {
        "p_eeg": "the EEG recogniser alone", "p_face": "the face recogniser alone", "p_fused": "both, fused",
        "c_eeg": "the EEG recogniser alone, calibrated", "c_face": "the face recogniser alone, calibrated",
    }  # fmt: skip
    levels = {
        f"{kind}/{name}": f"{text} chosen to elicit {name}"
        for kind, text in (("clip", "All windows of a clip"), ("window", "Three seconds of a clip"))
        for name in emotions
    }
    return {
        "onset": {"Description": "Start, from the first EEG sample on the EEG's own clock", "Units": "s"},
        "duration": {"Description": "Length; of a clip: from its first window's start to its last window's end", "Units": "s"},
        "trial_type": {"Description": "What the row is about, and the target of its clip", "Levels": levels},
        "trial": {"Description": "Number of the trial in the recording"},
        "stim_id": {"Description": "Identifier of the clip, as in the source events"},
        "target": {"Description": "What the clip was chosen to elicit; not what was felt", "Levels": felt},
        "rating": {"Description": "What the participant said to have felt, where asked; not used to make the label"},
        **{
            f"{prefix}_{emotion}": {"Description": f"Probability of {emotion} by {names[prefix]}", "Units": "arbitrary"}
            for prefix in names
            for emotion in emotions
        },
        "label": {"Description": "The machine's label: the likeliest emotion by what label_by says; n/a without any modality, "
                  "when it abstains, or when two recognisers are not fused", "Levels": felt},
        "label_by": {"Description": "Whose likeliest emotion the label is",
                     "Levels": {"fusion": "both, fused", "eeg": "the EEG alone", "face": "the face alone"}},
        "margin": {"Description": "Probability of the likeliest emotion, by what label_by says, minus the second",
                   "Units": "arbitrary"},
        "entropy": {"Description": "Entropy of these probabilities", "Units": "bit"},
        "agreement": {"Description": "Whether both recognisers find the same emotion likeliest; n/a when one is missing",
                      "Levels": yes_no},
        "divergence": {"Description": "Jensen-Shannon divergence of the two recognisers' probabilities, base 2: 0 the same, "
                       "1 opposed", "Units": "arbitrary"},
        "abstained": {"Description": "Whether they were too unsure to give a label", "Levels": yes_no},
        "eeg_missing": {"Description": "Whether there is no prediction from EEG: its samples are lost, it swings too far, or "
                        "too few electrodes are good", "Levels": yes_no},
        "face_missing": {"Description": "Whether no sampled frame shows a face, or there is no video", "Levels": yes_no},
        "eeg_quality": {"Description": "Share of the analysed channels that were really recorded, 0 where the EEG is missing; "
                        "of a clip: the mean of its windows", "Units": "arbitrary"},
        "face_quality": {"Description": "Share of the sampled frames with a face", "Units": "arbitrary"},
        "other_faces": {"Description": "Share of the sampled frames that show more than one face", "Units": "arbitrary"},
        "split": {"Description": "How training and test data were kept apart"},
        "fold": {"Description": "Fold whose recognisers made this row"},
        "out_of_fold": {"Description": "Whether those recognisers were trained without this window, and without what the "
                        "split keeps apart; kept models know a recording again by its EEG's samples; n/a where it cannot be "
                        "known", "Levels": yes_no},
        "participant_seen": {"Description": "Whether those recognisers were trained with other data of this participant, or "
                             "these; n/a where it cannot be known, since another dataset may call people otherwise",
                             "Levels": yes_no},
    }  # fmt: skip


def describe_frames(emotions: Sequence[str]) -> dict[str, dict[str, object]]:
    """Return what the columns of the table of frames mean."""
    return {
        "frame_time": {"Description": "Time of the frame, from the first EEG sample on the EEG's own clock", "Units": "s"},
        "video": {"Description": "File that the frame is of, beside the recording in the source; a recording may have several"},
        "frame": {"Description": "Number of the frame in that video, from 0"},
        "face_detected": {
            "Description": "Whether the participant's face was found",
            "Levels": {"1": "found", "0": "not found"},
        },
        "n_faces": {"Description": "How many faces the frame shows, the participant's included"},
        **{
            f"p_face_{emotion}": {"Description": f"Probability of {emotion} by the face recogniser", "Units": "arbitrary"}
            for emotion in emotions
        },
        "fold": {"Description": "Fold whose recogniser made this row; it did not see this window"},
    }
