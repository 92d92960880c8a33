"""Why something is not known of a server's deletion, and what may be done, in words.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from datetime import datetime, timezone

from ..models import Params, Reason

#: Longest part of a message that is not ours.
_MOST_CHARACTERS = 200


def rfc3339(moment: float) -> str:
    """Write seconds since 1970 for a reason's blanks."""
    return datetime.fromtimestamp(moment, timezone.utc).isoformat(timespec="seconds")


def _reason(code: str, message: str, **params: str | float) -> Reason:
    cut: Params = {
        name: value[:_MOST_CHARACTERS] if isinstance(value, str) else value
        for name, value in params.items()
    }
    return Reason(code=code, message=message.format(**cut), params=cut)


NO_POLICY = _reason(
    "idle_no_policy", "No policy is known here, so nothing is said of this server's deletion."
)
NO_RULE = _reason(
    "idle_no_rule", "The policy has no rule for a server like this one, so it tells nothing."
)
FILE_MISSING = _reason("idle_file_missing", "The operator's controller has not written it yet.")
CONTROLLER_SILENT = _reason(
    "idle_controller_silent", "The controller has not answered yet. It is being asked."
)
HISTORY_SHORT = _reason(
    "idle_history_short",
    "For a part of the time since this server started nothing was recorded; that counts as idle.",
)
HISTORY_LOST = _reason(
    "idle_history_lost",
    "What was recorded of this server's use cannot be read, so nothing can be estimated.",
)
GPU_SHARED = _reason(
    "idle_gpu_shared",
    "A GPU is shared: its use by neighbours cannot be told from yours, and counts as idle.",
)
GPU_MOMENTS = _reason(
    "idle_gpu_moments",
    "The driver tells of a GPU's use in moments only; what is between them counts as idle.",
)
GPU_HIDDEN = _reason(
    "idle_gpu_hidden", "The driver does not tell of a GPU's use here, so it counts as idle."
)
GPUS_CHANGE = _reason(
    "idle_gpus_change",
    "GPUs came or went since this server started: whichever rule deletes earlier is taken.",
)
STOP_NOT_GRANTED = _reason(
    "idle_stop_not_granted",
    "This server may not stop itself. Stop it in the hub's control panel.",
)
STOP_NO_HUB = _reason(
    "idle_stop_no_hub", "There is no hub that could stop this server. Stop it where it was started."
)
TIME_NOT_OFFERED = _reason(
    "idle_time_not_offered", "More time cannot be asked for here. Write to the operator."
)


def policy_invalid(error: str) -> Reason:
    """What the operator configured is no policy."""
    message = "The policy that is set here cannot be used: {error}. Tell the operator."
    return _reason("idle_policy_invalid", message, error=error)


def revision_unknown(revision: str) -> Reason:
    """The controller follows a policy that this version has no rules of."""
    message = "The rules of the policy {revision} are not known here, so nothing is estimated."
    return _reason("idle_revision_unknown", message, revision=revision)


def file_unreadable(file: str, error: str) -> Reason:
    """The file with the controller's state is there and cannot be read."""
    message = "{file} cannot be read ({error}). Tell the operator."
    return _reason("idle_file_unreadable", message, file=file, error=error)


def file_malformed(file: str, error: str) -> Reason:
    """The file with the controller's state makes no sense."""
    message = "{file} is not what a controller writes ({error}). Tell the operator."
    return _reason("idle_file_malformed", message, file=file, error=error)


def other_server(server: str) -> Reason:
    """The state is that of another server."""
    return _reason("idle_state_other_server", "It is of another server, {server}.", server=server)


def older_start(evaluated_at: float) -> Reason:
    """The state is from before this server was started."""
    message = "It is from {time}, before this server was started."
    return _reason("idle_state_older_start", message, time=rfc3339(evaluated_at))


def old(evaluated_at: float) -> Reason:
    """The controller should have spoken again since."""
    message = "It is from {time}; the controller should have looked again since."
    return _reason("idle_state_old", message, time=rfc3339(evaluated_at))


def future(evaluated_at: float) -> Reason:
    """The state is of a time that has not come."""
    message = "It is of {time}, which has not come: a clock is wrong. Tell the operator."
    return _reason("idle_state_future", message, time=rfc3339(evaluated_at))


def controller_unreachable(error: str) -> Reason:
    """The controller does not answer as it should."""
    message = "The controller does not answer ({error}). It is asked again by itself."
    return _reason("idle_controller_unreachable", message, error=error)


def controller_malformed(error: str) -> Reason:
    """What the controller answers makes no sense."""
    message = "The controller's answer makes no sense ({error}). Tell the operator."
    return _reason("idle_controller_malformed", message, error=error)


def hub_unreachable(error: str) -> Reason:
    """The hub does not answer as it should."""
    message = "The hub does not answer ({error}). Use its control panel."
    return _reason("idle_hub_unreachable", message, error=error)
